"""What to do about hotspots: advice, and which patterns become a subtree. Pure, no Django."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from patterns import Pattern, PatternError, TooComplex, contains, parse

Advice = Literal["split", "shared_file", "monitor"]


@dataclass(frozen=True, slots=True)
class RollUp:
    """Subtree patterns with the patterns that they stand for, and the patterns that stay on their own."""

    subtrees: dict[str, tuple[str, ...]]
    leaves: tuple[str, ...]


def advice(attempts: int, *, split_at: int, share_at: int) -> Advice:
    """What to do about a pattern with so many attempts."""
    if attempts >= split_at:
        return "split"
    return "shared_file" if attempts >= share_at else "monitor"


def roll_up(new: Sequence[str], earlier: Iterable[str], *, least: int) -> RollUp:
    """Group siblings: a directory with at least ``least`` patterns, one of them new, becomes a subtree.

    ``earlier`` are the patterns promoted before, within the window. ``least`` 0 groups nothing. Patterns at
    the top level, below a wildcard directory or that are a subtree already are not grouped.
    """
    groups: dict[str, list[str]] = {}
    for pattern in dict.fromkeys([*new, *earlier]):
        parent = _parent(pattern)
        if parent:
            groups.setdefault(parent, []).append(pattern)
    fresh = set(new)
    subtrees = {
        f"{parent}/**": tuple(members)
        for parent, members in sorted(groups.items())
        if least and len(members) >= least and fresh.intersection(members)
    }
    grouped = {member for members in subtrees.values() for member in members}
    return RollUp(subtrees, tuple(pattern for pattern in dict.fromkeys(new) if pattern not in grouped))


def covers(outer: str, inner: str) -> bool:
    """Whether ``outer`` surely covers every path of ``inner``; ``False`` when that cannot be told."""
    if outer == inner:
        return True
    try:
        return covers_pattern(parse(outer), parse(inner))
    except PatternError:
        return False


def covers_pattern(outer: Pattern, inner: Pattern) -> bool:
    """The same for parsed patterns."""
    prefix = outer.prefix
    if prefix and inner.prefix != prefix and not inner.prefix.startswith(f"{prefix}/"):
        return False
    try:
        return contains(outer, inner)
    except TooComplex:
        return False


def _parent(pattern: str) -> str | None:
    """The directory of a pattern, when it is a plain one."""
    parent, slash, name = pattern.rpartition("/")
    if not slash or not parent or name == "**" or any(char in parent for char in "*?["):
        return None
    return parent
