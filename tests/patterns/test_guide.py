"""The page for users says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from patterns import PatternError, parse

PAGE = (Path(__file__).parents[2] / "docs" / "patterns.md").read_text()


def rows(heading: str) -> list[list[list[str]]]:
    """The code spans in each cell of each row under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in cells]


def test_it_shows_patterns_that_parse() -> None:
    shown = [text for row in rows("By example") for text in row[0]]
    assert len(shown) > 15
    assert all(parse(text) for text in shown)


def test_it_shows_the_canonical_form() -> None:
    pairs = [(text, row[1][0]) for row in rows("One spelling") if row[1] for text in row[0]]
    assert len(pairs) > 8
    assert [parse(text).text for text, _ in pairs] == [canonical for _, canonical in pairs]


def test_it_shows_what_is_refused() -> None:
    refused = [text for row in rows("What is refused") for text in row[0]]
    assert len(refused) > 8
    for text in refused:
        with pytest.raises(PatternError):
            parse(text)
