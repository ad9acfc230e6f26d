"""Whether two segments can match the same name.

The classical answer is the product automaton (Rabin and Scott 1959; Hopcroft, Motwani, Ullman, section 4.3):
states are pairs ``(i, j)``, and the languages meet when the pair of final states can be reached. The globs of
``patterns.globs`` only move forward or stay, so the reachable pairs are found row by row: row ``i`` is the
bit set of all ``j``, a row with a star is filled from its lowest bit up, and the next row is one shift. That
is linear in the tokens of one segment times machine words of the other, in time and memory; no regular
expression is ever built.

*Meeting as a directory* leaves out the names that are files by their ending (see ``patterns.endings``).
Mostly a name without such an ending turns up at once. Else the tree of endings is walked along the product,
level by level, which gives the pairs from which the name can no longer become a file, and the rows start from
those.

Verdicts are remembered per pair of segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from patterns.charsets import ANY, Token, accepts, common, pick
from patterns.endings import ENDINGS, Ending, file_ending
from patterns.globs import Glob, Segment

Pair = tuple[int, int]


def meet(a: Segment, b: Segment) -> bool:
    """Whether some name is matched by both segments."""
    if a.any or b.any or a is b:
        return True
    if a.literal is not None:
        return b.matches(a.literal)
    if b.literal is not None:
        return a.matches(b.literal)
    return _meet(a, b)


def meet_as_directory(a: Segment, b: Segment) -> bool:
    """Whether some name that is not a file by its ending is matched by both segments."""
    if a.never_file or b.never_file:
        return meet(a, b)
    if a.literal is not None or b.literal is not None:
        return not file_ending(a.literal or b.literal or "") and meet(a, b)
    return (a.any and b.any) or _directory_name(a, b) is not None


def is_file(one: Segment) -> bool:
    """Whether every name of the segment is a file by its ending."""
    return bool(one.ending) or not meet_as_directory(one, one)


def shared_name(a: Segment, b: Segment, *, directory: bool) -> str | None:
    """A short name that both segments match; with ``directory`` one that is not a file by its ending."""
    if not (meet_as_directory if directory else meet)(a, b):
        return None
    if a.literal is not None or b.literal is not None:
        return a.literal or b.literal
    return _directory_name(a, b) if directory else _name(a, b)


@lru_cache(maxsize=16384)
def _meet(a: Segment, b: Segment) -> bool:
    for left in a.readings:
        for right in b.readings:
            if _rows(left, right, [(0, 0)])[-1] >> len(right.text) & 1:
                return True
    return False


def _name(a: Segment, b: Segment) -> str | None:
    for left in a.readings:
        for right in b.readings:
            name = _product(left, right, {(0, 0): ""})
            if name is not None:
                return name
    return None


@lru_cache(maxsize=4096)
def _directory_name(a: Segment, b: Segment) -> str | None:
    for left in a.readings:
        for right in b.readings:
            name = _product(left, right, {(0, 0): ""})
            if name is None:
                continue
            if not file_ending(name):
                return name
            if left.stars & right.stars & 1:
                return name + "-x"  # Both end with a star, so both match whatever follows the ending.
            name = _past_endings(left, right)
            if name is not None:
                return name
    return None


def _product(a: Glob, b: Glob, seeds: dict[Pair, str]) -> str | None:
    """A name in both languages, or ``None``. ``seeds``: pairs to start from, with the name's end so far."""
    final = (len(a.text), len(b.text))
    rows = _rows(a, b, seeds)
    if not rows[-1] >> final[1] & 1:
        return None
    return _trace(a, b, rows, seeds) or "x"


def _rows(a: Glob, b: Glob, seeds: Iterable[Pair]) -> list[int]:
    """All pairs that can be reached from ``seeds``: ``rows[i]`` has bit ``j`` set for ``(i, j)``."""
    rows = [0] * (len(a.text) + 1)
    for i, j in seeds:
        rows[i] |= 1 << j
    every = (2 << len(b.text)) - 1
    compatible: dict[Token, int] = {}
    for i, row in enumerate(rows):
        if row and a.stars >> i & 1:
            row |= every & -(row & -row)
            rows[i] = row
        if not row or i == len(a.text):
            continue
        token = a.token(i)
        if token not in compatible:
            compatible[token] = b.compatible(token)
        rows[i + 1] |= ((row & compatible[token]) << 1) | (row & b.stars)
    return rows


def _trace(a: Glob, b: Glob, rows: list[int], seeds: dict[Pair, str]) -> str:
    """Walk back from the final pair to a seed. The globs are reversed, so this spells the name forwards."""
    at = (len(a.text), len(b.text))
    name: list[str] = []
    while at not in seeds:
        i, j = at
        both = common(a.token(i - 1), b.token(j - 1)) if i and j else None
        if both is not None and rows[i - 1] >> (j - 1) & 1:
            name.append(pick(both) or "")
            at = (i - 1, j - 1)
        elif i and b.stars >> j & 1 and rows[i - 1] >> j & 1:
            name.append(pick(a.token(i - 1)) or "")
            at = (i - 1, j)
        else:
            name.append(pick(b.token(j - 1)) or "")
            at = (i, j - 1)
    return "".join(name) + seeds[at]


def _past_endings(a: Glob, b: Glob) -> str | None:
    """A name in both languages that is not a file by its ending, or ``None``.

    Walks the tree of file endings along the product. A node's depth bounds its pairs, so the work is bounded
    by the size of the tree.
    """
    final = (len(a.text), len(b.text))
    level: dict[Ending, dict[Pair, str]] = {ENDINGS: {(0, 0): ""}}
    while level:
        seeds: dict[Pair, str] = {}
        below: dict[Ending, dict[Pair, str]] = {}
        for node, pairs in level.items():
            if pairs.get(final):
                return pairs[final]
            for pair, suffix in pairs.items():
                for target, both in _steps(a, b, pair):
                    char = pick(both, node.decisive)
                    if char is not None:
                        seeds.setdefault(target, char + suffix)
                    for letter in both if isinstance(both, str) else node.children:
                        if letter in node.children and accepts(both, letter):
                            below.setdefault(node.children[letter], {}).setdefault(target, letter + suffix)
        name = _product(a, b, seeds)
        if name is not None:
            return name
        level = below
    return None


def _steps(a: Glob, b: Glob, pair: Pair) -> Iterator[tuple[Pair, Token]]:
    """The pairs one character further, with the characters that lead there."""
    for to_i, token_a in _moves(a, pair[0]):
        for to_j, token_b in _moves(b, pair[1]):
            both = common(token_a, token_b)
            if both is not None:
                yield (to_i, to_j), both


def _moves(glob: Glob, state: int) -> Iterator[tuple[int, Token]]:
    if state < len(glob.text):
        yield state + 1, glob.token(state)
    if glob.stars >> state & 1:
        yield state, ANY
