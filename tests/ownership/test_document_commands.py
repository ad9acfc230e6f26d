"""``manage.py promote``, ``demote`` and ``pin``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ownership.models import Revision
from tests.ownership.conftest import RULES, stored, told

pytestmark = pytest.mark.django_db
SHARED = RULES + "shared_files:\n  - go.sum\n"


def run(*args):
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue().rstrip("\n")


def test_it_shares_a_pattern_with_author_and_reason(document):
    document()
    said = run("promote", "go.sum", "--reason", "hot", "--author", "bob")
    assert said == "Added 'go.sum' to shared_files."
    assert stored() == SHARED
    newest = Revision.objects.latest("id")
    assert (newest.author, newest.reason) == ("bob", "hot")
    assert told("ownership_edited")[-1] == {
        "action": "shared_file",
        "reason": "hot",
        "pattern": "go.sum",
        "repo": None,
        "revision": newest.pk,
    }


def test_it_suggests_a_split(document, clock):
    document()
    assert run("promote", "a.py", "--split", "--note", "big") == "Added 'a.py' to suggested_splits."
    assert stored().endswith(
        "suggested_splits:\n- pattern: a.py\n  suggested_at: '2026-11-23T12:00:00Z'\n  note: big\n"
    )


def test_it_stops_sharing(document):
    document(SHARED)
    assert run("demote", "go.sum") == "Removed 'go.sum' from shared_files."
    assert stored() == RULES
    assert told("ownership_edited")[-1]["action"] == "demote"


def test_it_pins_and_then_demotes_by_force_only(document):
    document(SHARED)
    assert run("pin", "go.sum") == "Pinned 'go.sum' in shared_files."
    assert "- go.sum  # coord-managed=permanent" in stored()
    assert [detail["pattern"] for detail in told("pinned")] == ["go.sum"]
    with pytest.raises(CommandError, match="is pinned"):
        run("demote", "go.sum")
    assert "go.sum" in stored()
    run("demote", "go.sum", "--force")
    assert stored() == RULES


@pytest.mark.parametrize("command", ["promote", "pin"])
def test_it_says_when_there_is_nothing_to_change(document, command):
    document()
    run(command, "go.sum")
    before = Revision.objects.count()
    assert run(command, "go.sum") == "Nothing to change."
    assert Revision.objects.count() == before


def test_it_prints_json(document):
    document()
    assert json.loads(run("promote", "go.sum", "--json")) == {
        "pattern": "go.sum",
        "changed": True,
        "document": SHARED,
    }
    assert json.loads(run("promote", "go.sum", "--json"))["changed"] is False


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("demote", "nope.py"), "is not in shared_files"),
        (("promote", "!a"), "pattern"),
        (("pin", "a\nb"), "control character"),
        (("promote", "a.py", "--split", "--note", "x" * 1001), "at most 1000"),
    ],
)
def test_it_refuses_with_the_reason_and_changes_nothing(document, args, words):
    document()
    with pytest.raises(CommandError, match=words) as refusal:
        run(*args)
    assert refusal.value.returncode == 1
    assert stored() == RULES


@pytest.mark.parametrize("command", ["promote", "demote", "pin"])
def test_it_shows_examples_in_its_help(command, capsys):
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    assert f"  coord {command} " in capsys.readouterr().out


@pytest.mark.system
def test_it_ends_with_2_without_a_database(tmp_path):
    ended = subprocess.run(
        [sys.executable, "manage.py", "promote", "a.py"],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "COORD_DATABASE_PATH": str(tmp_path / "none" / "coord.db")},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "There is no service's database at" in ended.stderr
