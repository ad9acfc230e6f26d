"""Many holders who give way hide nobody who does not: the verdict looks past them."""

from __future__ import annotations

import pytest
from actors import Actor

from claims.candidates import MOST_HITS
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
