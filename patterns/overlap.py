"""Whether two patterns overlap: exact, symmetric, in polynomial time.

A pattern is an automaton over path segments (``patterns.pattern``: states ``0 … n``, a segment leads one
state further, ``**`` is a loop). Two patterns overlap when their product automaton accepts some path: the
same construction, row by row over bit sets, that ``patterns.meeting`` explains for the characters of one
segment, and whether two segments meet is answered there and remembered. Reading a segment that is not the
path's last asks for a name that can be a directory, unless one of the patterns declares it (see "File
endings" in ``patterns.pattern``).
"""

from __future__ import annotations

from patterns.globs import Segment, segment
from patterns.meeting import is_file, meet, meet_as_directory, shared_name
from patterns.pattern import Pattern

_ANY: Segment = segment("*")


def overlaps(a: Pattern, b: Pattern) -> bool:
    """Whether some path is covered by both patterns. ``ValueError`` when their case modes differ."""
    if a.case_insensitive != b.case_insensitive:
        raise ValueError("the patterns were parsed in different case modes")
    if not _prefixes_meet(a, b):
        return False
    if a.is_literal and b.is_literal:
        return True
    return _last_step(a, b, _rows(a, b)) is not None


def _prefixes_meet(a: Pattern, b: Pattern) -> bool:
    short, long = (a.prefix, b.prefix) if len(a.prefix) <= len(b.prefix) else (b.prefix, a.prefix)
    return not short or short == long or long.startswith(short + "/")


def _step(a: Pattern, i: int, b: Pattern, j: int) -> bool:
    """Whether segment ``i`` of ``a`` and ``j`` of ``b`` can match one name that the path goes on below."""
    if (a.declares >> i | b.declares >> j) & 1:
        return meet(a.segments[i], b.segments[j])
    return meet_as_directory(a.segments[i], b.segments[j])


def _last_can_be_directory(pattern: Pattern) -> bool:
    last = pattern.segments[-1]
    return bool(pattern.declares >> len(pattern.segments) - 1) or not is_file(last)


def _rows(a: Pattern, b: Pattern) -> list[int]:
    """``rows[i]`` has bit ``j`` set when some path of directories leads to state ``(i, j)``."""
    size_a, size_b = len(a.segments), len(b.segments)
    rows = [0] * (size_a + 1)
    rows[0] = 1
    for i in range(size_a + 1):
        row = rows[i]
        if not row:
            continue
        if a.loops >> i & 1:
            row |= ((1 << size_b) - 1) & -(row & -row)
            if not row >> size_b & 1 and _last_can_be_directory(b):
                row |= 1 << size_b
            rows[i] = row
        if i == size_a:
            break
        stay = row & b.loops
        if stay and i == size_a - 1 and not _last_can_be_directory(a):
            stay = 0
        moved = 0
        for j in range(size_b):
            if row >> j & 1 and _step(a, i, b, j):
                moved |= 2 << j
        rows[i + 1] |= moved | stay
    return rows


def _last_step(a: Pattern, b: Pattern, rows: list[int]) -> tuple[int, int] | None:
    """The state before the path's last segment, if one can lead to acceptance."""
    n, m = len(a.segments), len(b.segments)
    if rows[n - 1] >> (m - 1) & 1 and meet(a.segments[-1], b.segments[-1]):
        return n - 1, m - 1
    if b.loops >> m & 1 and rows[n - 1] >> m & 1:
        return n - 1, m
    if a.loops >> n & 1 and rows[n] >> (m - 1) & 1:
        return n, m - 1
    if a.loops >> n & b.loops >> m & rows[n] >> m & 1:
        return n, m
    return None


def witness(a: Pattern, b: Pattern) -> str | None:
    """A path that both patterns cover, made of literal parts and short names; ``None`` without overlap."""
    if not overlaps(a, b):
        return None
    rows = _rows(a, b)
    last = _last_step(a, b, rows)
    if last is None:
        return None
    names = [_name(a, b, last, (len(a.segments), len(b.segments)), final=True)]
    at = last
    while at != (0, 0):
        i, j = at
        if i and j and rows[i - 1] >> (j - 1) & 1 and _step(a, i - 1, b, j - 1):
            before = (i - 1, j - 1)
        elif i and b.loops >> j & 1 and rows[i - 1] >> j & 1:
            before = (i - 1, j)
        else:
            before = (i, j - 1)
        names.append(_name(a, b, before, at, final=False))
        at = before
    return "/".join(reversed(names))


def _name(a: Pattern, b: Pattern, before: tuple[int, int], after: tuple[int, int], *, final: bool) -> str:
    """A name that leads from one state to the next."""
    (i, j), (to_i, to_j) = before, after
    left = a.segments[i] if to_i > i else _ANY
    right = b.segments[j] if to_j > j else _ANY
    declared = (to_i > i and a.declares >> i & 1) or (to_j > j and b.declares >> j & 1)
    return shared_name(left, right, directory=not final and not declared) or "x"
