"""Markers of managed and pinned entries."""

from __future__ import annotations

from datetime import date

import pytest

from ownership.edits import Entry, entries, pin

MODULES = "modules:\n  a: {paths: ['src/**']}\n"
DAY = date(2026, 11, 1)


def test_it_reads_the_markers_of_every_shape():
    text = (
        "shared_files:\n"
        "  - a.py  # auto-promoted=2026-11-01\n"
        "  - b.py  # kept; coord-managed=permanent auto-promoted=2026-11-01\n"
        "  - pattern: c.py  # auto-promoted=2026-11-01\n"
        "    why: d\n"
        "  - {pattern: d.py}  # auto-promoted=2026-11-01\n"
        "  - 'e # auto-promoted=2026-11-01'\n"
        "  - f.py  # auto-promoted=2026-13-01\n"
        "  # auto-promoted=2026-11-01\n"
        "  - g.py\n"
    )
    assert entries(text) == [
        Entry("a.py", DAY),
        Entry("b.py", DAY, permanent=True),
        Entry("c.py", DAY),
        Entry("d.py", DAY),
        Entry("e # auto-promoted=2026-11-01"),
        Entry("f.py"),
        Entry("g.py"),
    ]
    assert [entry.managed for entry in entries(text)] == [True, False, True, True, False, False, False]


def test_it_reads_the_markers_of_a_flow_list():
    text = "shared_files: [\n  a.py,  # auto-promoted=2026-11-01\n  b.py\n]  # coord-managed=permanent\n"
    assert entries(text) == [Entry("a.py", DAY), Entry("b.py")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  - a.py\n", "  - a.py  # coord-managed=permanent\n"),
        ("- 'a.py'\n", "- 'a.py'  # coord-managed=permanent\n"),
        (
            "  - a.py  # auto-promoted=2026-11-01\n",
            "  - a.py  # auto-promoted=2026-11-01 coord-managed=permanent\n",
        ),
        (
            "  - pattern: a.py\n    why: x  # y\n",
            "  - pattern: a.py\n    why: x  # y coord-managed=permanent\n",
        ),
        ("  - {pattern: a.py}\n", "  - {pattern: a.py}  # coord-managed=permanent\n"),
        ("  - a.py  # coord-managed=permanent\n", "  - a.py  # coord-managed=permanent\n"),
    ],
)
def test_it_pins_an_entry_and_changes_nothing_else(before, after):
    head = "shared_files:\n"
    tail = "  - z.py\n" if before.startswith(" ") else "- z.py\n"
    assert pin(head + before + tail + MODULES, "a.py") == head + after + tail + MODULES


@pytest.mark.parametrize("text", ["[a.py]", "[a.py, b.py]", "[b.py, a.py]", "[b.py, a.py,]  # c"])
def test_it_pins_an_entry_of_a_flow_list(text):
    before = f"shared_files: {text}\n" + MODULES
    after = pin(before, "a.py")
    assert {entry.pattern for entry in entries(after) if entry.permanent} == {"a.py"}
    assert [entry.pattern for entry in entries(after)] == [entry.pattern for entry in entries(before)]
    assert after.endswith(MODULES)


def test_it_adds_a_missing_entry_pinned():
    assert pin(MODULES, "a.py") == MODULES + "shared_files:\n  - a.py  # coord-managed=permanent\n"
