"""The verdict on pairs of patterns."""

from __future__ import annotations

import pytest

from patterns.overlap import overlaps, witness
from patterns.pattern import matches, parse

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
