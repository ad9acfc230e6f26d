"""Removing entries from ``shared_files``."""

from __future__ import annotations

import pytest

from ownership import documents
from ownership.documents import InvalidDocument
from ownership.edits import entries, remove_shared

MODULES = "modules:\n  a: {paths: ['src/**'], severity: hard}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("shared_files:\n  - a.py\n  - b.py\n" + MODULES, "shared_files:\n  - b.py\n" + MODULES),
        (
            "shared_files:\n  # one\n  - a.py  # mine\n\n  # two\n  - b.py  # yours\n" + MODULES,
            "shared_files:\n  # one\n\n  # two\n  - b.py  # yours\n" + MODULES,
        ),
        ("shared_files:\n- pattern: a.py\n  why: x\n- b.py\n" + MODULES, "shared_files:\n- b.py\n" + MODULES),
        ("shared_files: [a.py, b.py]\n" + MODULES, "shared_files: [b.py]\n" + MODULES),
        ("shared_files: [b.py, a.py]  # c\n" + MODULES, "shared_files: [b.py]  # c\n" + MODULES),
        (
            "shared_files: [\n  b.py,  # two\n  a.py  # one\n]\n" + MODULES,
            "shared_files: [\n  b.py,  # two\n]\n" + MODULES,
        ),
        (
            "shared_files: [b.py, a.py  # auto-promoted=2026-11-22\n  ]\n" + MODULES,
            "shared_files: [b.py]\n" + MODULES,
        ),
        (
            "shared_files: [b.py, a.py,  # auto-promoted=2026-11-22\n  c.py]\n" + MODULES,
            "shared_files: [b.py, c.py]\n" + MODULES,
        ),
        ("shared_files:  # header\n  # note\n  - a.py\n  # end\n" + MODULES, MODULES),
        ("shared_files: [a.py]\n" + MODULES, MODULES),
        (MODULES + "\nshared_files:\n  - a.py\n", MODULES),
        (
            MODULES + "\nshared_files:\n  - a.py\n\nareas:\n  b: {paths: [x]}\n",
            MODULES + "\nareas:\n  b: {paths: [x]}\n",
        ),
        (MODULES + "x: |+\n  t\n\nshared_files:\n  - a.py\n", MODULES + "x: |+\n  t\n\n"),
        ("shared_files:\n  - a.py\n", "shared_files: []\n"),
        ("# top\nshared_files:\n- a.py  # x\n# end\n", "# top\nshared_files: []\n# end\n"),
        (
            "{shared_files: [a.py], " + "modules: {a: {paths: [x]}}}",
            "{shared_files: [], modules: {a: {paths: [x]}}}",
        ),
        ("shared_files:\n  - b.py\n" + MODULES, "shared_files:\n  - b.py\n" + MODULES),
        (MODULES, MODULES),
        ("", ""),
    ],
)
def test_it_removes_one_entry_and_changes_nothing_else(before, after):
    assert remove_shared(before, ["a.py"]) == after
    if after:
        documents.parse(after)


def test_it_removes_across_blank_lines():
    """BUG-49."""
    before = MODULES + "shared_files:\n  - a.py  # auto-promoted=2026-11-01\n\n  - b.py\n"
    after = remove_shared(before, ["a.py"])
    assert after == MODULES + "shared_files:\n\n  - b.py\n"
    assert documents.parse(after).everywhere.shared == ("b.py",)


@pytest.mark.parametrize("style", ["shared_files:\n  - {}\n  - {}\n  - {}\n", "shared_files: [{}, {}, {}]\n"])
def test_it_removes_several_at_once(style):
    before = style.format("a.py", "b.py", "c.py") + MODULES
    assert [entry.pattern for entry in entries(remove_shared(before, ["c.py", "./a.py"]))] == ["b.py"]
    assert remove_shared(before, ["a.py", "b.py", "c.py"]) == MODULES


def test_it_refuses_to_remove_what_others_refer_to():
    with pytest.raises(InvalidDocument, match="cannot be edited safely"):
        remove_shared("shared_files:\n  - &x a.py\n  - b.py\nother: *x\n" + MODULES, ["a.py"])
