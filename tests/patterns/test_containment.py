"""Whether one pattern covers all that another covers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from patterns import Pattern, TooComplex, contains, intersection_within, matches, parse
from tests.patterns import reference

INSIDE = [
    ("src/**", "src/a.py"),
    ("src/**", "src/*/b/**"),
    ("src", "src/**"),
    ("src", "src/a*"),
    ("**", "src"),
    ("**/*.py", "src/*.py"),
    ("*.py", "src/**/test_*.py"),
    ("src/*", "src/a.py"),
    ("src/*.py", "src/a.py"),
    ("src/?*", "src/*"),
    ("src/[a-z]*", "src/[c-e]?x"),
    ("src/[!a]?", "src/[b-d]?"),
    ("a/**/c", "a/b/**/c"),
    ("a*b*c", "abxbc"),
    ("**/*", "a/*/b"),
    ("src/*a*", "src/*aba*"),
    ("app/[id]/**", "app/[id]/page.tsx"),
    ("*.js/**", "next.js/lib"),
]
OUTSIDE = [
    ("src/a.py", "src/**"),
    ("src/**", "src"),
    ("src/*", "src/lib"),
    ("src/*.py", "src/*"),
    ("src/*.py", "src/lib/a.py"),
    ("src/[a-z]", "src/?"),
    ("src/[!a]", "src/*"),
    ("a/*/c", "a/**/c"),
    ("a*b*c", "axc"),
    ("src/auth/**", "src/auth_v2/**"),
    ("*/x", "**/x"),
    ("app/[id]/**", "app/*/page.tsx"),
    ("src/a.py", "src/A.py"),
    ("src/[!a]", "src/[b-d]"),  # `[b-d]` is a name too
]


@pytest.mark.parametrize(("outer", "inner"), INSIDE)
def test_it_contains(outer: str, inner: str) -> None:
    assert contains(parse(outer), parse(inner))


@pytest.mark.parametrize(("outer", "inner"), OUTSIDE)
def test_it_does_not_contain(outer: str, inner: str) -> None:
    assert not contains(parse(outer), parse(inner))


def test_it_ignores_case_when_told() -> None:
    outer, inner = (parse(text, case_insensitive=True) for text in ("src/[A-Z]?*.py", "SRC/*AB.PY"))
    assert not contains(outer, inner)
    assert contains(outer, parse("Src/xAB.PY", case_insensitive=True))
    assert contains(
        parse("src/[A-Za-zµ]?", case_insensitive=True), parse("SRC/[a-c]?", case_insensitive=True)
    )


@pytest.mark.parametrize(
    ("a", "b", "scope", "within"),
    [
        ("src/**", "*.py", "src/**/*.py", True),
        ("src/**", "*.py", "src/*.py", False),
        ("src/a*", "src/*b", "src/a*b", True),
        ("src/a*", "src/*b", "src/a?*b", False),
        ("src/a*/**", "src/*.py/**", "src/a*.py/**", True),
        ("src/a*.py", "src/*b.py", "src/a*", True),
        ("src/[a-m]*", "src/[k-z]*", "src/[klm]*", True),
        ("src/[a-m]*", "src/[k-z]*", "src/[kl]*", False),
        ("src/a", "lib/a", "docs", True),
        ("**", "src/**", "src", True),
        ("src/lib", "src/lib/a.py", "src/lib/*", True),
    ],
)
def test_it_compares_an_intersection(a: str, b: str, scope: str, within: bool) -> None:
    assert intersection_within(parse(a), parse(b), parse(scope)) is within
    assert intersection_within(parse(b), parse(a), parse(scope)) is within


SEGMENTS = st.one_of(
    st.just("**"),
    st.just("*"),
    st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]"]), min_size=1, max_size=2).map("".join),
    st.sampled_from(["*.py", "a.py"]),
)
PATTERNS = st.tuples(
    st.sampled_from(["", "", "**/"]),
    st.lists(SEGMENTS, min_size=1, max_size=2).map("/".join),
    st.sampled_from(["", "", "/**"]),
).map(lambda parts: parse("".join(parts)))
# `x` stands for every letter that the patterns do not name.
NAMES = ["".join(word) for size in (1, 2) for word in itertools.product("abx", repeat=size)]
NAMES += ["aax", "xax", "axx", "xxx", "bxx", "abx", "xbx", "a.py", "b.py", "x.py"]
PATHS = [
    *reference.paths(NAMES, 2),
    *reference.paths(["a", "b", "x", "ab", "ax", "ba", "xa", "xx", "a.py", "x.py"], 4),
]


def escaping(inner: Pattern, outer: Pattern) -> list[str]:
    return [
        path
        for path in PATHS
        if not reference.covers(outer.text, path) and reference.both_cover("**", inner.text, path)
    ]


@given(outer=PATTERNS, inner=PATTERNS)
@settings(max_examples=30, deadline=None, derandomize=True)  # enumeration proves a "no" in short names only
def test_it_decides_as_enumeration_does(outer: Pattern, inner: Pattern) -> None:
    verdict = contains(outer, inner)
    event(f"contains: {verdict}")
    assert verdict == (escaping(inner, outer) == [])


@given(outer=PATTERNS, a=PATTERNS, b=PATTERNS)
@settings(max_examples=25, deadline=None)
def test_it_decides_intersections_soundly(outer: Pattern, a: Pattern, b: Pattern) -> None:
    if intersection_within(a, b, outer):
        both = [path for path in PATHS if matches(a, path) and reference.both_cover(a.text, b.text, path)]
        assert all(matches(outer, path) for path in both)
    else:
        assert not contains(outer, a) or not contains(outer, b)


def test_it_gives_up_within_its_budget() -> None:
    with pytest.raises(TooComplex, match="simpler"):
        contains(parse("src/" + "?" * 30 + "a*"), parse("src/" + "?" * 30 + "a*x"))
