"""Microseconds per pair for the overlap of patterns: ``python -m benchmarks.overlap``.

``warm`` repeats one pair, as when a request meets claims of a kind seen before;
``cold`` parses and compares with empty caches.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from patterns import TooComplex, contains, globs, meeting, overlaps, parse, pattern, witness
from patterns.charsets import common, pick

STARS = "*".join("abcdefghi")
PAIRS = {
    "literal / literal": ("src/auth/login.py", "src/auth/logout.py"),
    "literal / tree": ("src/auth/login.py", "src/auth/**"),
    "literal / glob": ("src/auth/login.py", "src/**/*.py"),
    "glob / glob": ("src/**/test_*.py", "src/auth/*_login.py"),
    "floating / floating": ("*.py", "test_*"),
    "class / class": ("src/[a-m]*.py", "src/*[!0-9].py"),
    "brackets / tree": ("app/[id]/page.tsx", "app/**/*.tsx"),
    "9 stars / 9 stars": (f"src/*{STARS}*", f"src/*{STARS[::-1]}*"),
    "poison": ("a" * 60, "*a" * 8 + "*b"),
    "512 stars / 512 stars": ("*a" * 510 + "b", "*a" * 510 + "c"),
    "31 deep / 31 deep": ("/".join(["**/a*"] * 31), "/".join(["**/*b"] * 31)),
    "deep, all different": (
        "/".join(f"**/a{k}*b?c*{k}" for k in range(31)),
        "/".join(f"**/*{k}b*?c{k}*" for k in range(31)),
    ),
    "40 classes": (
        "".join(f"*[{chr(0x100 + k)}-{chr(0x180 + k)}]" for k in range(40)),
        "".join(f"*[{chr(0x110 + k)}-{chr(0x190 + k)}]" for k in range(40)),
    ),
    "? runs": ("a/" + "*?" * 500 + "/x", "a/" + "?*" * 500 + "/x"),
}


def forget() -> None:
    """Empty every cache of the package."""
    for cached in (pattern.parse, globs.segment, meeting._meet, meeting._directory_name, common, pick):
        cached.cache_clear()


def micros(run: Callable[[], object], *, before: Callable[[], object] = lambda: None) -> float:
    """The best of several runs."""
    timer = timeit.Timer(run)
    best = float("inf")
    for _ in range(5):
        before()
        best = min(best, timer.timeit(1))
    if best > 1e-3:
        return best * 1e6
    count, _ = timer.autorange()
    return min(timer.repeat(3, count)) / count * 1e6


def cold(one: str, other: str) -> float:
    """Parse and compare with empty caches, once per run."""
    timer = timeit.Timer(lambda: overlaps(parse(one), parse(other)), setup=forget)
    return min(timer.repeat(5, 1)) * 1e6


def contained(one: str, other: str) -> str:
    """The time of a containment question, or that it was given up."""
    a, b = parse(one), parse(other)

    def ask() -> None:
        try:
            contains(b, a)
        except TooComplex:
            outcome.append("gave up")

    outcome: list[str] = []
    taken = micros(ask)
    return f"{taken:12.1f} {outcome[0] if outcome else ''}"


def main() -> None:
    print(f"{'pair':24}{'warm':>10}{'cold':>10}{'witness':>10}{'contains':>12}  (us)")
    for name, (one, other) in PAIRS.items():
        a, b = parse(one), parse(other)
        warm = micros(lambda a=a, b=b: overlaps(a, b))
        shown = micros(lambda a=a, b=b: witness(a, b))
        print(f"{name:24}{warm:10.1f}{cold(one, other):10.1f}{shown:10.1f}{contained(one, other)}")


if __name__ == "__main__":
    main()
