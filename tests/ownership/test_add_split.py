"""Suggesting a split."""

from __future__ import annotations

import pytest
import yaml

from ownership import documents
from ownership.documents import InvalidDocument
from ownership.edits import add_split

MODULES = (
    "# rules\nmodules:\n  a: {paths: ['src/**']}  # ours\n"
    "shared_files:\n  - a.py  # auto-promoted=2026-11-01\n"
)
WHEN = "2026-11-22T13:18:38Z"


def test_it_appends_the_entry_and_keeps_comments_and_markers():
    """BUG-53."""
    after = add_split(MODULES, "hot/a.py", suggested_at=WHEN, note="too big")
    assert after == MODULES + (
        "suggested_splits:\n- pattern: hot/a.py\n  suggested_at: '2026-11-22T13:18:38Z'\n  note: too big\n"
    )
    documents.parse(after)


@pytest.mark.parametrize(
    "note", ["a: b # c", "two\nlines", "yes", "'", '"', "\ttab", "- x", "ünï 😀", "x" * 900]
)
def test_it_writes_any_note(note):
    after = add_split(MODULES, "hot/a.py", suggested_at=WHEN, note=note)
    assert yaml.safe_load(after)["suggested_splits"] == [
        {"pattern": "hot/a.py", "suggested_at": WHEN, "note": note}
    ]
    assert after.startswith(MODULES)


def test_it_follows_the_list_that_is_there():
    before = "suggested_splits:\n    - pattern: b.py\n      suggested_at: x\n\n" + MODULES
    after = add_split(before, "a.py", suggested_at=WHEN)
    assert after == (
        "suggested_splits:\n    - pattern: b.py\n      suggested_at: x\n"
        "    - pattern: a.py\n      suggested_at: '2026-11-22T13:18:38Z'\n\n" + MODULES
    )


def test_it_keeps_a_flow_list():
    before = "suggested_splits: [{pattern: b.py}]\n" + MODULES
    after = add_split(before, "a.py", suggested_at=WHEN)
    assert after == (
        "suggested_splits: [{pattern: b.py}, {pattern: a.py, suggested_at: '2026-11-22T13:18:38Z'}]\n"
        + MODULES
    )


def test_it_leaves_a_document_that_has_the_entry():
    once = add_split(MODULES, "a.py", suggested_at=WHEN)
    assert add_split(once, "./a.py", suggested_at="2027-01-01T00:00:00Z", note="again") == once


def test_it_gives_an_empty_document_that_can_be_uploaded():
    after = add_split("", "a.py", suggested_at=WHEN)
    assert after == "suggested_splits:\n- pattern: a.py\n  suggested_at: '2026-11-22T13:18:38Z'\n"
    documents.parse(after)


def test_it_refuses_what_is_not_a_list():
    with pytest.raises(InvalidDocument, match="`suggested_splits` must be a list"):
        add_split("suggested_splits: x\n", "a.py", suggested_at=WHEN)
