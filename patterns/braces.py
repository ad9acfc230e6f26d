"""The refusal of brace groups, with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from patterns.errors import PatternError, quoted

_MAX_EXPANSION = 20
_MAX_HINT = 800


def refuse_braces(text: str) -> None:
    """Raise ``PatternError`` for ``{a,b}`` and ``{1..3}``. Other braces are ordinary characters."""
    if _first_group(text) is None:
        return
    shown: list[str] = []
    for one in islice(_expand(text), _MAX_EXPANSION + 1):
        if len(shown) == _MAX_EXPANSION or (shown and sum(map(len, shown)) + len(one) > _MAX_HINT):
            shown.append("…")
            break
        if one not in shown:
            shown.append(one)
    raise PatternError(
        f"The pattern {quoted(text)} has a brace group; braces are not expanded.",
        code="braces",
        hint="Claim each of these instead: " + ", ".join(shown),
    )


def _expand(text: str) -> Iterator[str]:
    """The texts that ``text`` stands for, lazily."""
    group = _first_group(text)
    if group is None:
        yield text
        return
    start, end, alternatives = group
    for one in alternatives:
        yield from _expand(text[:start] + one + text[end:])


def _first_group(text: str) -> tuple[int, int, list[str]] | None:
    """The first brace group to be closed: where it starts and ends, and its alternatives."""
    opened: list[list[int]] = []
    for at, char in enumerate(text):
        if char == "{":
            opened.append([at])
        elif char == "," and opened:
            opened[-1].append(at)
        elif char == "}" and opened:
            cuts = [*opened.pop(), at]
            if len(cuts) > 2:
                parts = [text[cuts[k] + 1 : cuts[k + 1]] for k in range(len(cuts) - 1)]
            else:
                parts = _sequence(text[cuts[0] + 1 : at])
            if parts:
                return cuts[0], at + 1, parts
    return None


_SEQUENCE = re.compile(
    r"(?:(-?\d{1,9})\.\.(-?\d{1,9})|([A-Za-z])\.\.([A-Za-z]))(?:\.\.(-?\d{1,9}))?", re.ASCII
)


def _sequence(body: str) -> list[str]:
    """What ``1..3`` or ``a..c`` stands for, cut off after the shown ones; empty for other text."""
    found = _SEQUENCE.fullmatch(body)
    if found is None:
        return []
    numbers = found[1] is not None
    first, last = (int(found[1]), int(found[2])) if numbers else (ord(found[3]), ord(found[4]))
    step = abs(int(found[5] or 1)) or 1
    values = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    shown = islice(values, _MAX_EXPANSION + 1)
    if not numbers:
        return [chr(code) for code in shown]
    padded = any(re.match(r"-?0\d", end) for end in (found[1], found[2]))
    width = max(len(found[1]), len(found[2])) if padded else 0
    return [f"{value:0{width}d}" if width else str(value) for value in shown]
