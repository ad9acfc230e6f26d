"""Random documents: an edit changes the intended entry and nothing else."""

from __future__ import annotations

from datetime import date

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership import documents
from ownership.edits import Entry, add_shared, add_split, entries, pin, remove_shared
from ownership.scalars import scalar

DAY = date(2026, 11, 22)
WHEN = "2026-11-22T13:18:38Z"
MARKER = "auto-promoted=2026-11-01"

PATTERNS = [
    "a.py",
    "*.lock",
    "@x",
    "a: b",
    "yes",
    "#x",
    "a #b",
    "[x]",
    "1:30",
    "src/**",
    "ä/ö.py",
    "it's",
    "a,b",
]
COMMENTS = ["", "  # note", "  # it's: a [flow] {x}, - y", f"  # {MARKER}", "  # coord-managed=permanent"]
OTHERS = [
    "modules:\n  a:\n    paths: ['src/**', \"b*\"]   # ours\n\n    severity:  hard\n",
    "areas: {x: {paths: [docs/**], owners: [t]}}\n",
    "# a comment\n\n",
    "notes: |\n  # not a comment\n\n  - not an item\n",
    "folded: >-\n    text\n    more\n",
    "suggested_splits:\n- pattern: s.py\n  note: 'x'\n",
    "suggested_splits: []\n",
    "plain: a\n  b\n   c\n",
    "repos:\n    org/app:\n        shared_files: [z.py]\n",
]

quoted = st.sampled_from(
    [scalar, lambda text: f"'{text}'".replace("it's", "it''s"), lambda text: f'"{text}"']
)


@st.composite
def block_lists(draw):
    """``shared_files`` in block style; each item on lines of its own."""
    lead = " " * draw(st.sampled_from([0, 1, 2, 4]))
    lines = [f"shared_files:{draw(st.sampled_from(COMMENTS[:3]))}"]
    for pattern in draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=5, unique=True)):
        lines += draw(st.lists(st.sampled_from(["", f"{lead}# between", "      # deep"]), max_size=2))
        text = draw(quoted)(pattern)
        comment = draw(st.sampled_from(COMMENTS))
        shape = draw(st.sampled_from(["plain", "mapping", "flow", "apart"]))
        if shape == "mapping":
            lines += [f"{lead}- pattern: {text}", f"{lead}  why: x{comment}"]
        elif shape == "flow":
            lines += [f"{lead}- {{pattern: {text}, why: [x]}}{comment}"]
        elif shape == "apart":
            lines += [f"{lead}-", f"{lead}  {text}{comment}"]
        else:
            lines += [f"{lead}-  {text}{comment}"]
    lines += draw(st.lists(st.sampled_from(["", f"{lead}# after"]), max_size=2))
    return "\n".join(lines) + "\n"


@st.composite
def flow_lists(draw):
    """``shared_files`` in flow style, on one line or on several."""
    items = [
        draw(quoted)(text) for text in draw(st.lists(st.sampled_from(PATTERNS), max_size=4, unique=True))
    ]
    comma = draw(st.sampled_from(["", ","])) if items else ""
    if draw(st.booleans()):
        return f"shared_files: [{', '.join(items)}{comma}]{draw(st.sampled_from(COMMENTS[:3]))}\n"
    lines = [f"  {item}{',' if n < len(items) - 1 else comma}" for n, item in enumerate(items)]
    return (
        "\n".join(["shared_files: [", *(f"{ln}{draw(st.sampled_from(COMMENTS))}" for ln in lines), "]"])
        + "\n"
    )


lists = st.one_of(
    block_lists(), flow_lists(), st.sampled_from(["shared_files:\n", "shared_files: ~  # c\n", ""])
)


@st.composite
def surroundings(draw):
    """What comes before and after the list: other keys, once each, and comments."""
    others = draw(st.permutations(OTHERS))[: draw(st.integers(1, 6))]
    others = [other for n, other in enumerate(others) if not any(_key(other) == _key(o) for o in others[:n])]
    cut = draw(st.integers(0, len(others)))
    before, after = "".join(others[:cut]), "".join(others[cut:])
    if not yaml.safe_load(before + after):
        after += OTHERS[1]
    return before, after


def _key(text):
    return text.split(":")[0]


def rest(text):
    """Everything that the document says but its ``shared_files``."""
    return {key: value for key, value in (yaml.safe_load(text) or {}).items() if key != "shared_files"}


@settings(max_examples=40, deadline=None)
@given(surroundings(), lists, st.sampled_from([*PATTERNS, "new/x.py"]), st.booleans())
def test_it_adds_an_entry_and_takes_it_away_again(around, listed, pattern, marked):
    before, after = around
    text = before + listed + after
    had = entries(text)
    added = add_shared(text, pattern, promoted=DAY if marked else None)
    assert added.startswith(before)
    if listed:
        assert added.endswith(after)
    else:
        assert added.startswith(text)
    assert rest(added) == rest(text)
    if any(entry.pattern == pattern for entry in had):
        assert added == text
        return
    assert entries(added) == [*had, Entry(pattern, DAY if marked else None)]
    documents.parse(added)
    removed = remove_shared(added, [pattern])
    assert entries(removed) == had
    assert rest(removed) == rest(text)
    if had and not _is_flow(listed):
        assert removed == text


@settings(max_examples=40, deadline=None)
@given(surroundings(), st.one_of(block_lists(), flow_lists()), st.data())
def test_it_removes_an_entry_and_keeps_the_others(around, listed, data):
    before, after = around
    text = before + listed + after
    had = entries(text)
    gone = data.draw(st.sets(st.sampled_from([entry.pattern for entry in had]))) if had else set()
    removed = remove_shared(text, gone)
    assert entries(removed) == [entry for entry in had if entry.pattern not in gone]
    assert rest(removed) == rest(text)
    assert removed.startswith(before[:-1].rstrip("\n"))
    assert removed.endswith(after)
    if len(gone) < len(had):
        assert removed.startswith(before)
        kept = iter(text.splitlines())
        assert _is_flow(listed) or all(line in kept for line in removed.splitlines())


@settings(max_examples=40, deadline=None)
@given(surroundings(), st.one_of(block_lists(), flow_lists()), st.data())
def test_it_pins_an_entry_and_keeps_the_others(around, listed, data):
    before, after = around
    text = before + listed + after
    had = entries(text)
    if not had:
        return
    pinned = data.draw(st.sampled_from([entry.pattern for entry in had]))
    result = pin(text, pinned)
    assert [entry.pattern for entry in entries(result)] == [entry.pattern for entry in had]
    for old, new in zip(had, entries(result), strict=True):
        assert new.permanent is (old.permanent or old.pattern == pinned)
        assert new.promoted == old.promoted
    assert yaml.safe_load(result) == yaml.safe_load(text)
    assert (result.startswith(before), result.endswith(after)) == (True, True)


@settings(max_examples=30, deadline=None)
@given(surroundings(), lists, st.text(max_size=30))
def test_it_suggests_a_split_and_keeps_the_rest(around, listed, note):
    text = around[0] + listed + around[1]
    before = yaml.safe_load(text)
    after = yaml.safe_load(add_split(text, "new/x.py", suggested_at=WHEN, note=note))
    [*had, new] = after.pop("suggested_splits")
    assert new == {"pattern": "new/x.py", "suggested_at": WHEN} | ({"note": note} if note else {})
    assert had == (before.pop("suggested_splits", None) or [])
    assert after == before


def _is_flow(listed):
    return "shared_files: [" in listed
