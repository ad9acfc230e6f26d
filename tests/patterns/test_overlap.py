"""The verdict on pairs of patterns: a table of pairs, and random pairs against plain enumeration."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from patterns import Pattern, candidate_prefixes, matches, overlaps, parse, witness
from tests.patterns import reference

TOGETHER = [
    ("src/*/a.py", "src/b/*.py"),
    ("src/**/*.ts", "src/auth/**"),
    ("**/test_*.py", "tests/**"),
    ("*.py", "src/a*"),
    ("src/a*.py", "src/*b.py"),
    ("docs/*.md", "docs/README*"),
    ("src/[a-m]*.py", "src/*z.py"),
    ("src/../lib/a.py", "lib/a.py"),
    ("#gen/**", "#gen/a.py"),
    ("src\\a.py", "src/a.py"),
    ("src//a.py", "src/a.py"),
    ("src/a.py ", "src/a.py"),
    ("./g/login.ts", "g\\login.ts"),
    ("t/x/../a.py", "t/a.py"),
    ("t/./a.py", "t/a.py"),
    ("src/new_file.py", "src/new_file.py"),
    ("src/newdir/**", "src/newdir/n.py"),
    ("src/café.py", "src/cafe\u0301.py"),
    ("app/[id]/page.tsx", "app/[id]/page.tsx"),
    ("app/[id]/page.tsx", "app/[id]/**"),
    ("app/[id]/page.tsx", "app/**/*.tsx"),
    ("app/[id]/page.tsx", "app/d/page.tsx"),
    ("src/[z-a].py", "src/[z-a].py"),
    ("src/[z-a].py", "src/*.py"),
    ("src", "src/deep/down.py"),
    ("src/**", "src"),
    ("src/*", "src/lib"),
    ("a", "a/**"),
    ("**", "a"),
    ("a/**/b", "a/*/b"),
    ("a/**/b/**/c", "a/b/x/*/c"),
    # names with a file ending that are directories because one pattern says so
    ("vendor/next.js/lib/a.js", "vendor/next.js"),
    ("next.js/**", "next.js"),
    ("packages/*.js/src/**", "packages/**"),
    ("packages/*.[jt]s/src/**", "packages/**/*.ts"),
    ("a.py/x.ts", "*.py"),
    ("src/System.Text.Json", "src/**/*.cs"),
    ("src/*.j?/x", "src/*/x"),
]
APART = [
    ("README.md", "docs/README.md"),
    ("/README.md", "docs/README.md"),
    ("package.json", "apps/web/package.json"),
    ("a.py", "src/a.py"),
    ("src", "lib/src/x.py"),
    ("src/auth_v2/**", "src/auth/**"),
    ("src/auth/*", "src/auth/deep/file.ts"),
    ("src/A.py", "src/a.py"),
    ("src/[z-a].py", "lib/x.py"),
    ("a" * 60 + ".py", "*a*a*a*a*a*a*a*a*b"),
    ("src/*.py", "src/lib/*.py"),
    ("src/*", "src/lib/*/a.py"),
    ("/a?c", "a/c"),
    ("src/[a-c].py", "src/[d-f].py"),
    ("src/[!a]", "src/a"),
    ("*/a/b", "*/b"),
    # a name with a file ending is a file
    ("*.py", "*.ts"),
    ("*.[jt]s", "*.py"),
    ("src/a.py", "*.ts"),
    ("vendor/next.js", "vendor/**/*.ts"),
    ("src/*.py", "src/*/x"),
    ("README.MD", "**/x.py"),
]


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_it_finds_the_overlap(one: str, other: str) -> None:
    a, b = parse(one), parse(other)
    assert overlaps(a, b)
    assert overlaps(b, a)
    path = witness(a, b)
    assert path is not None
    assert matches(a, path)
    assert matches(b, path)


@pytest.mark.parametrize(("one", "other"), APART)
def test_it_keeps_apart_what_shares_no_path(one: str, other: str) -> None:
    a, b = parse(one), parse(other)
    assert not overlaps(a, b)
    assert not overlaps(b, a)
    assert witness(a, b) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("SRC/a.py", "src/A.py"), ("*.PY", "src/a.py"), ("src/[A-C]?.py", "src/bx*"), ("ÉTÉ/*", "été/x")],
)
def test_it_ignores_case_when_told(one: str, other: str) -> None:
    assert not overlaps(parse(one), parse(other))
    a, b = parse(one, case_insensitive=True), parse(other, case_insensitive=True)
    assert overlaps(a, b)
    path = witness(a, b)
    assert path is not None
    assert matches(a, path)
    assert matches(b, path)


def test_it_compares_only_patterns_of_one_case_mode() -> None:
    with pytest.raises(ValueError, match="case modes"):
        overlaps(parse("a"), parse("a", case_insensitive=True))


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ("src/*/a.py", "src/b/*.py", "src/b/a.py"),
        ("**/test_*.py", "tests/**", "tests/test_.py"),
        ("src/a*.py", "src/*b.py", "src/ab.py"),
        ("src/**", "lib", None),
        ("src/**", "src", "src/x"),
        ("**", "**", "x"),
        ("src/?", "src/[a-z]", "src/x"),
        ("src/[0-9]", "src/[!5-9]", "src/0"),
    ],
)
def test_it_shows_a_plausible_path(one: str, other: str, path: str | None) -> None:
    assert witness(parse(one), parse(other)) == path


PIECES = ["a", "b", "*", "?", "[ab]", "[!a]", ".py", ".ts"]
SEGMENTS = st.one_of(
    st.just("**"), st.just("*"), st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join)
)
PATTERNS = st.tuples(
    st.sampled_from(["", "", "/"]),
    st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "", "/"]),
).map(lambda parts: parse("".join(parts)))

NAMES = ["".join(word) for size in (1, 2) for word in itertools.product("abx", repeat=size)]
FILES = [".py", "a.py", "b.py", "x.py", "a.ts", "x.ts", "[ab]"]
PATHS = [*reference.paths([*NAMES, *FILES], 2), *reference.paths(["a", "b", "ab", "x", "a.py", "b.ts"], 3)]


@given(a=PATTERNS, b=PATTERNS)
@settings(max_examples=300, deadline=None)
def test_it_decides_as_enumeration_does(a: Pattern, b: Pattern) -> None:
    verdict = overlaps(a, b)
    event(f"overlaps: {verdict}")
    assert overlaps(b, a) == verdict
    path = witness(a, b)
    if verdict:
        assert path is not None
        assert matches(a, path)
        assert matches(b, path)
        assert reference.both_cover(a.text, b.text, path)
    else:
        assert path is None
        covered = [path for path in PATHS if reference.covers(a.text, path)]
        assert [path for path in covered if reference.both_cover(a.text, b.text, path)] == []


@given(a=PATTERNS)
@settings(max_examples=100, deadline=None)
def test_it_overlaps_with_itself(a: Pattern) -> None:
    assert overlaps(a, a)


LITERALS = st.lists(st.sampled_from(["a", "b", "a.py", "b.ts", "x"]), min_size=1, max_size=4).map(
    lambda parts: parse("/".join(parts))
)


@given(a=st.one_of(PATTERNS, LITERALS), b=st.one_of(PATTERNS, LITERALS))
@settings(max_examples=400, deadline=None)
def test_it_overlaps_only_what_prefix_and_tail_let_through(a: Pattern, b: Pattern) -> None:
    if overlaps(a, b):
        assert b.prefix in candidate_prefixes(a) or b.prefix.startswith(f"{a.prefix}/") or not a.prefix
        assert not a.tail or b.tail in ("", a.tail)


@given(a=PATTERNS, b=PATTERNS)
@settings(max_examples=150, deadline=None)
def test_it_finds_with_folding_at_least_what_it_finds_without(a: Pattern, b: Pattern) -> None:
    one, other = (parse(pattern.text.swapcase(), case_insensitive=True) for pattern in (a, b))
    mixed = parse(a.text, case_insensitive=True)
    assert overlaps(mixed, other) == overlaps(one, other)
    assert overlaps(mixed, other) or not overlaps(a, b)
