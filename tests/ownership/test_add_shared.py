"""Adding an entry to ``shared_files``."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from ownership import documents
from ownership.documents import InvalidDocument
from ownership.edits import Entry, add_shared, entries

MODULES = "modules:\n  a: {paths: ['src/auth/**'], severity: hard, owners: [t]}\n  b: {paths: ['src/**']}\n"
DAY = date(2026, 11, 22)

NASTY = [
    *("*.lock", "@x", "%x", "'x", '"x', "`x", "|x", ">x", "a: b", "[x]", "{x}", "x:", "yes", "No", "null"),
    *("~", "123", "1.5", "0o17", "1e3", "1:30", "2026-11-22", "a #b", "#x", "&x", "*", "**/*.ts", "- a"),
    *("? a", "=", "<<", "a,b", "app/[id]/page.tsx", "ä/日本.py", "😀.py", "with space.txt", "a'b.py", "-x"),
]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "shared_files:\n  - new.py\n"),
        (MODULES, MODULES + "shared_files:\n  - new.py\n"),
        (MODULES.rstrip("\n"), MODULES + "shared_files:\n  - new.py\n"),
        (MODULES + "shared_files: []\n", MODULES + "shared_files:\n  - new.py\n"),
        ("shared_files: []  # why\n" + MODULES, "shared_files:  # why\n  - new.py\n" + MODULES),
        ("shared_files:\n" + MODULES, "shared_files:\n  - new.py\n" + MODULES),
        ("shared_files: null\n" + MODULES, "shared_files:\n  - new.py\n" + MODULES),
        (
            "shared_files:\n  - a.py\n  # old ones\n\n# rules\n" + MODULES,
            "shared_files:\n  - a.py\n  # old ones\n  - new.py\n\n# rules\n" + MODULES,
        ),
        (
            "shared_files:\n    - a.py\n\n    - b.py  # c\n\n" + MODULES,
            "shared_files:\n    - a.py\n\n    - b.py  # c\n    - new.py\n\n" + MODULES,
        ),
        ("shared_files: [a.py]\n" + MODULES, "shared_files: [a.py, new.py]\n" + MODULES),
        ("shared_files: [ 'a.py', ]  # c\n" + MODULES, "shared_files: [ 'a.py', new.py ]  # c\n" + MODULES),
        (
            "shared_files: [\n  a.py,  # one\n  b.py  # two\n]\n" + MODULES,
            "shared_files: [\n  a.py,  # one\n  b.py,  # two\n  new.py\n]\n" + MODULES,
        ),
        ("shared_files:\n- a.py\n" + MODULES, "shared_files:\n- a.py\n- new.py\n" + MODULES),
        (
            "shared_files:\n  - pattern: a.py\n    why: x  # y\n" + MODULES,
            "shared_files:\n  - pattern: a.py\n    why: x  # y\n  - new.py\n" + MODULES,
        ),
        ("{modules: {a: {paths: [x]}}}", "{modules: {a: {paths: [x]}}, shared_files: [new.py]}"),
        ("# only a comment\n", "# only a comment\nshared_files:\n  - new.py\n"),
        ("---\n" + MODULES + "...\n", "---\n" + MODULES + "shared_files:\n  - new.py\n...\n"),
        (
            MODULES.replace("\n", "\r\n"),
            (MODULES + "shared_files:\n  - new.py\n").replace("\n", "\r\n"),
        ),
        ("\ufeff" + MODULES, "\ufeff" + MODULES + "shared_files:\n  - new.py\n"),
        (
            MODULES + "notes: |\n  long\n  text\n",
            MODULES + "notes: |\n  long\n  text\nshared_files:\n  - new.py\n",
        ),
    ],
)
def test_it_adds_one_entry_and_changes_nothing_else(before, after):
    assert add_shared(before, "new.py") == after
    assert documents.parse(after).everywhere.shared[-1] == "new.py"


@pytest.mark.parametrize("pattern", NASTY)
def test_it_writes_any_pattern_so_that_it_is_read_as_it_is(pattern):
    """BUG-46."""
    for before in (MODULES, "shared_files: [a.py]\n" + MODULES, "shared_files:\n- a.py\n" + MODULES):
        after = add_shared(before, pattern, promoted=DAY)
        assert yaml.safe_load(after)["shared_files"][-1] == pattern
        assert yaml.safe_load(after)["modules"] == yaml.safe_load(before)["modules"]
        assert documents.parse(after).everywhere.shared[-1] == pattern
        assert entries(after)[-1] == Entry(pattern, DAY)


@pytest.mark.parametrize("pattern", ["new.py", "'new.py'", '"new.py"', "./new.py"])
def test_it_finds_the_entry_that_is_there(pattern):
    before = f"shared_files:\n  - {pattern}  # mine\n" + MODULES
    assert add_shared(before, "new.py") == before


def test_it_finds_an_entry_that_is_a_mapping():
    before = "shared_files:\n  - pattern: new.py\n" + MODULES
    assert add_shared(before, "new.py") == before


def test_it_marks_a_promoted_entry_with_its_day():
    after = add_shared(MODULES, "d/a.py", promoted=DAY)
    assert after == MODULES + "shared_files:\n  - d/a.py  # auto-promoted=2026-11-22\n"


def test_it_marks_an_entry_of_a_flow_list():
    after = add_shared("shared_files: [a.py]\n" + MODULES, "b.py", promoted=DAY)
    assert entries(after) == [Entry("a.py"), Entry("b.py", DAY)]
    assert after.endswith(MODULES)


def test_it_adds_below_a_flush_left_list():
    """BUG-47."""
    before = MODULES + "shared_files:\n- hot/a.py\n"
    after = add_shared(before, "hot/c.py")
    assert after == before + "- hot/c.py\n"
    assert documents.parse(after).everywhere.shared == ("hot/a.py", "hot/c.py")


def test_it_never_writes_a_new_line_from_a_pattern():
    """BUG-48."""
    after = add_shared(MODULES, "a.py\nmodules: {}")
    assert after == MODULES + 'shared_files:\n  - "a.py\\nmodules: {}"\n'
    with pytest.raises(InvalidDocument, match="control character"):
        documents.parse(after)


def test_it_gives_an_empty_document_that_can_be_uploaded():
    """BUG-53."""
    assert documents.parse(add_shared("", "new.py")).count == 0


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ("shared_files: a.py\n", "`shared_files` must be a list"),
        ("shared_files: {a: b}\n", "`shared_files` must be a list"),
        ("- a\n", "must be a mapping"),
        ("modules: [\n", "Invalid YAML:"),
        ("x: &x [a.py]\nshared_files: *x\n", "`shared_files` is an alias"),
        ("base: &b {shared_files: [a.py]}\n<<: *b\n", "cannot be edited safely"),
    ],
)
def test_it_refuses_what_it_cannot_edit(before, problem):
    with pytest.raises(InvalidDocument, match=problem.replace("[", r"\[")):
        add_shared(before, "new.py")
