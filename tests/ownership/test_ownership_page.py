"""The page about ownership shows a document and settings that are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from coordsite.config import Config
from ownership import documents, edits

PAGE = (Path(__file__).parents[2] / "docs" / "ownership.md").read_text(encoding="utf-8")


def test_its_document_is_valid_and_means_what_it_says():
    [text] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    document = documents.parse(text)
    assert document.count == 2
    assert document.everywhere.shared == ("go.sum", "locales/**", "src/routes/*.ts", "package.json")
    assert document.repos["org/app"].shared == ("db/schema.sql",)
    assert [(entry.managed, entry.permanent) for entry in edits.entries(text)] == [
        (False, False),
        (False, False),
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize(("name", "value"), re.findall(r"`COORD_(\w+)` \((\d+)\)", PAGE))
def test_its_defaults_are_the_settings(name, value):
    assert Config.model_fields[name.lower()].default == int(value)


def test_its_commands_exist():
    named = set(re.findall(r"^coord (\w+)", PAGE, re.MULTILINE))
    assert named == {"promote", "pin", "demote"}
    assert named <= set(get_commands())
