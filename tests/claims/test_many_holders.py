"""Many holders who give way hide nobody who does not: the verdict looks past them."""

from __future__ import annotations

import pytest
from actors import Actor

from claims import candidates
from claims.candidates import MOST_HITS
from claims.models import Partnership
from ownership.services import save_document

zoe, yan = Actor("zoe"), Actor("yan")


@pytest.fixture(autouse=True)
def _database(db, clock):
    return clock


def test_those_on_a_shared_path_do_not_hide_a_holder():
    save_document(text="shared_files: [CHANGELOG.md]\n", author="root")
    for n in range(MOST_HITS + 1):
        Actor(f"a{n:02}").hold("CHANGELOG.md")
    held = zoe.hold("src/a.py")
    outcome = yan.ask("**")
    assert [conflict.holder.id for conflict in outcome.conflicts] == [held.claims[0].id]


def test_those_that_are_narrowed_do_not_hide_one_that_is_not():
    for n in range(MOST_HITS + 1):
        Actor(f"a{n:02}").hold(f"src/a{n:02}.py")
    held = zoe.hold("src/b.py", type="module")
    outcome = yan.ask("src/*.py", symbols=["f"])
    assert [conflict.holder.id for conflict in outcome.conflicts] == [held.claims[0].id]


def agree(outcome, with_outcome):
    """Let the holder of one claim have agreed to the other claim's party, on its whole pattern."""
    held, theirs = outcome.claims[0], with_outcome.claims[0]
    link = {"kind": "coexist", "pattern": held.pattern, "created_at": held.created_at}
    Partnership.objects.create(holder=held, partner=theirs, **link)


def test_those_who_agreed_do_not_hide_a_symbol_holder():
    mine = yan.hold("docs/yan.md")
    for n in range(MOST_HITS + 1):
        agree(Actor(f"a{n:02}").hold(f"src/a{n:02}.py", symbols=["f"]), mine)
    held = zoe.hold("src/b.py", symbols=["f"])
    outcome = yan.ask("src/*.py", symbols=["f", "g"])
    assert [conflict.holder.id for conflict in outcome.conflicts] == [held.claims[0].id]
    assert outcome.conflicts[0].holder.colliding == ("f",)


@pytest.mark.parametrize("symbols", [None, ["f"]])
def test_the_holder_is_found_among_more_than_the_first_rows(monkeypatch, symbols):
    monkeypatch.setattr(candidates, "_FIRST_ROWS", 4)
    for n in range(9):
        yan.hold(f"src/a{n}.py", symbols=symbols)
    held = zoe.hold("src/b.py", symbols=symbols)
    outcome = yan.ask("src/*.py", symbols=symbols)
    assert [conflict.holder.id for conflict in outcome.conflicts] == [held.claims[0].id]
