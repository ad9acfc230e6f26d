"""No pattern costs much. Steps are executed lines of the package, so no clock is involved."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import patterns
from patterns import (
    PatternError,
    TooComplex,
    contains,
    globs,
    matches,
    meeting,
    overlaps,
    parse,
    pattern,
    witness,
)

HERE = str(Path(patterns.__file__).parent)
STARS = "*".join("abcdefghi")


def steps(run: Callable[[], object]) -> int:
    """How many lines of the package run, with empty caches."""
    for cached in (pattern.parse, globs.segment, meeting._meet, meeting._directory_name):
        cached.cache_clear()
    count = 0

    def line(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(HERE):
            return None
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def compared(one: str, other: str) -> int:
    return steps(lambda: witness(parse(one), parse(other)))


def test_it_compares_many_stars_in_few_steps() -> None:
    assert compared(f"src/*{STARS}*", f"src/*{STARS[::-1]}*") < 3_000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*a" * 510 + "b", "*a" * 510 + "c"),
        ("a" * 60, "*a*a*a*a*a*a*a*a*b"),
        ("a/" + "*?" * 500 + "/x", "a/" + "?*" * 500 + "/x"),
        ("/".join(["**/a*"] * 31), "/".join(["**/*b"] * 31)),
        ("/".join(f"**/a{k}*b?c*{k}" for k in range(31)), "/".join(f"**/*{k}b*?c{k}*" for k in range(31))),
        ("**/" + "/".join(f"a{k}*b" for k in range(60)), "**/" + "/".join(f"*{k}b*" for k in range(60))),
        ("/".join(f"**/a{k}*.[jx]s" for k in range(20)), "/".join(f"**/*{k}b.[jy]s" for k in range(20))),
        (
            "*".join(f"[{chr(256 + k)}-{chr(300 + k)}]" for k in range(40)),
            "*".join(f"[{chr(270 + k)}-{chr(350 + k)}]" for k in range(40)),
        ),
        ("[" * 1000, "*[" * 400 + "]"),
        ("[!" * 500, "**"),
        ("x/" * 63 + "*", "**/x/" * 31 + "*"),
    ],
)
def test_it_bounds_the_steps_of_every_pair(one: str, other: str) -> None:
    def run() -> None:
        try:
            witness(parse(one), parse(other))
        except PatternError:
            assert "[" in one + other

    assert steps(run) < 800_000


def test_it_grows_no_faster_than_the_product_of_the_lengths() -> None:
    small, large = (compared("/" + "*ab" * size + "c", "/" + "*ba" * size + "*d") for size in (40, 160))
    assert large < 16 * small


def test_it_bounds_the_steps_of_matching() -> None:
    greedy = parse("*a" * 500 + "b")
    assert steps(lambda: matches(greedy, "a" * 4000)) < 100_000
    deep = parse("**/a*/" * 31 + "b")
    assert steps(lambda: matches(deep, "a/" * 1000 + "c")) < 1_500_000


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("src/" + "?" * 30 + "a*", "src/" + "?" * 30 + "a*x"),
        ("/".join(["**/a*"] * 31), "/".join(["**/*b"] * 31)),
        ("a/" + "*?" * 500 + "/x", "a/" + "?*" * 500 + "/y"),
        ("/".join(f"**/a{k}*b?c*{k}" for k in range(31)), "/".join(f"**/*{k}b*?c{k}*" for k in range(31))),
    ],
)
def test_it_bounds_the_steps_of_containment(outer: str, inner: str) -> None:
    def run() -> None:
        with contextlib.suppress(TooComplex):
            contains(parse(outer), parse(inner))

    assert steps(run) < 1_000_000


def test_it_remembers_verdicts_of_segments() -> None:
    a, b = parse("src/**/te*st_*.py"), parse("src/*/test*_?.py")
    overlaps(a, b)
    known = meeting._meet.cache_info().misses
    overlaps(b, a)
    overlaps(a, b)
    assert meeting._meet.cache_info().misses <= known + 1
