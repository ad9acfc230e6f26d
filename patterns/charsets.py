"""Sets of characters: bracket expressions, ``?``, and their intersections.

A set is a sorted tuple of disjoint closed intervals of code points. No set contains ``/``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache

from patterns.folding import changed

CharSet = tuple[tuple[int, int], ...]
Token = str | CharSet

_LAST = 0x10FFFF
_SLASH = ord("/")
ANY: CharSet = ((1, _SLASH - 1), (_SLASH + 1, _LAST))

_POSIX: Mapping[str, CharSet] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((1, 31), (127, 127)),
    "digit": ((48, 57),),
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


def accepts(token: Token, char: str) -> bool:
    """Whether the token, a character or a set, accepts ``char``."""
    if isinstance(token, str):
        return token == char
    code = ord(char)
    for low, high in token:
        if code <= high:
            return code >= low
    return False


@lru_cache(maxsize=4096)
def common(a: Token, b: Token) -> Token | None:
    """What both tokens accept, or ``None`` when that is nothing."""
    if isinstance(a, str):
        return a if accepts(b, a) else None
    if isinstance(b, str):
        return b if accepts(a, b) else None
    both = _intersect(a, b)
    if len(both) == 1 and both[0][0] == both[0][1]:
        return chr(both[0][0])
    return both or None


def _intersect(a: CharSet, b: CharSet) -> CharSet:
    out = []
    i = j = 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low <= high:
            # Intervals are shared where they can be: the set of folded characters has hundreds.
            out.append(a[i] if a[i] == (low, high) else b[j] if b[j] == (low, high) else (low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def _union(intervals: Iterable[tuple[int, int]]) -> CharSet:
    out: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


def complement(charset: CharSet) -> CharSet:
    """Everything that ``charset`` does not accept, without ``/``."""
    out, start = [], 0
    for low, high in charset:
        if start < low:
            out.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        out.append((start, _LAST))
    return _intersect(tuple(out), ANY)


_PREFERRED = "xabcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


@lru_cache(maxsize=4096)
def pick(token: Token, forbidden: frozenset[str] = frozenset()) -> str | None:
    """A character of the token that is not forbidden, a plain letter if there is one."""
    if isinstance(token, str):
        return None if token in forbidden else token
    for char in _PREFERRED:
        if char not in forbidden and accepts(token, char):
            return char
    # Printable before control characters: 0x21 up first, then whatever is left.
    for floor in (0x21, 1):
        for low, high in token:
            for code in range(max(low, floor), min(high, max(low, floor) + len(forbidden)) + 1):
                if chr(code) not in forbidden:
                    return chr(code)
    return None


def parse_class(text: str, start: int, *, folded: bool = False) -> tuple[CharSet, int] | None:
    """Read the bracket expression at ``text[start] == "["`` as git does (without backslash escapes).

    Returns the set and the position after ``]``; ``None`` when it is not closed, has a reversed range or an
    unknown POSIX name, or accepts nothing. With ``folded`` the set is over case-folded characters.
    """
    at = start + 1
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    first, previous = at, None
    intervals: list[tuple[int, int]] = []
    while True:
        if at >= len(text):
            return None
        char = text[at]
        if char == "]" and at > first:
            break
        if char == "-" and previous is not None and at + 1 < len(text) and text[at + 1] != "]":
            if previous > text[at + 1]:
                return None
            intervals.append((ord(previous), ord(text[at + 1])))
            at, previous = at + 2, None
        elif (
            text.startswith("[:", at)
            and (close := text.find("]", at + 2)) > at + 2
            and text[close - 1] == ":"
        ):
            posix = _POSIX.get(text[at + 2 : close - 1])
            if posix is None:
                return None
            intervals.extend(posix)
            at, previous = close + 1, None
        else:
            intervals.append((ord(char), ord(char)))
            at, previous = at + 1, char
    charset = _intersect(_union(intervals), ANY)
    if folded:
        charset = _folded(charset)
    if negated:
        charset = complement(charset)
        if folded:
            charset = _intersect(charset, _unchanged())
    return (charset, at + 1) if charset else None


def _folded(charset: CharSet) -> CharSet:
    codes = list(changed())
    images = []
    for low, high in charset:
        for code in codes[bisect_left(codes, low) : bisect_right(codes, high)]:
            images.append((changed()[code], changed()[code]))
    return _union([*_intersect(charset, _unchanged()), *images])


@lru_cache(maxsize=1)
def _unchanged() -> CharSet:
    return complement(_union((code, code) for code in changed()))
