"""One segment of a pattern: what it matches, and whether two segments can match the same name.

A segment without ``/`` is compiled to a *glob*: the single-character tokens ``t[0] … t[n-1]`` and the set of
positions (as bits of one integer) at which a ``*`` stands. This is an automaton with the states ``0 … n``: a
character that ``t[k]`` accepts leads from ``k`` to ``k + 1``, and a state with a star also loops on anything.

*Matching a name* runs that automaton on a bit set, one shift per character (Baeza-Yates and Gonnet's
shift-and).

*Meeting* asks whether the intersection of two languages is empty. The classical answer is the product
automaton (Rabin and Scott 1959; Hopcroft, Motwani, Ullman, section 4.3): states are pairs ``(i, j)`` and the
languages meet when the pair of final states can be reached. Both automata only move forward or stay, so the
reachable pairs are found row by row: row ``i`` is the bit set of all ``j``, a row with a star is filled from
its lowest bit up, and the next row is one shift. That is linear in the tokens of one segment times machine
words of the other, in time and memory; no regular expression is ever built.

*Meeting as a directory* leaves out the names that are files by their ending (see ``patterns.endings``). What
decides is at the right end of the name, so segments are compiled reversed: the tree of endings is walked
together with the product, which gives the pairs from which nothing is forbidden any more, and the rows start
from those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from patterns.charsets import ANY, CharSet, Token, accepts, common, parse_class, pick
from patterns.endings import ENDINGS, Ending, file_ending


@dataclass(slots=True, eq=False)
class Glob:
    """One reading of a segment, reversed: ``tokens[0]`` is the last character of the name.

    ``stars`` has bit ``k`` set when a ``*`` stands in front of token ``k`` (bit ``n``: after the last).
    """

    tokens: tuple[Token, ...]
    stars: int
    literals: dict[str, int]
    classes: tuple[tuple[CharSet, int], ...]

    @classmethod
    def build(cls, tokens: list[Token | None]) -> Glob:
        """Compile tokens in reading order, where ``None`` is a star."""
        chars: list[Token] = []
        stars = 0
        literals: dict[str, int] = {}
        classes: dict[CharSet, int] = {}
        for token in reversed(tokens):
            if token is None:
                stars |= 1 << len(chars)
                continue
            bit = 1 << len(chars)
            if isinstance(token, str):
                literals[token] = literals.get(token, 0) | bit
            else:
                classes[token] = classes.get(token, 0) | bit
            chars.append(token)
        return cls(tuple(chars), stars, literals, tuple(classes.items()))

    def accepting(self, char: str) -> int:
        """The positions whose token accepts ``char``, as bits."""
        mask = self.literals.get(char, 0)
        for charset, bits in self.classes:
            if accepts(charset, char):
                mask |= bits
        return mask

    def compatible(self, token: Token) -> int:
        """The positions whose token shares a character with ``token``, as bits."""
        if isinstance(token, str):
            return self.accepting(token)
        mask = 0
        for char, bits in self.literals.items():
            if accepts(token, char):
                mask |= bits
        for charset, bits in self.classes:
            if common(token, charset) is not None:
                mask |= bits
        return mask

    def matches(self, name: str) -> bool:
        """Whether this reading matches the whole ``name``."""
        states = 1
        for char in reversed(name):
            states = ((states & self.accepting(char)) << 1) | (states & self.stars)
            if not states:
                return False
        return bool(states >> len(self.tokens) & 1)


@dataclass(slots=True, eq=False)
class Segment:
    """A compiled segment: the union of its readings. ``literal`` is its only name, when it has only one.

    Instances are interned by ``segment``; they compare by identity.
    """

    text: str
    literal: str | None
    readings: tuple[Glob, ...]
    ending: str
    any: bool

    def matches(self, name: str) -> bool:
        """Whether one non-empty name, in the segment's case folding, is in the language."""
        if self.literal is not None:
            return name == self.literal
        return self.any or any(reading.matches(name) for reading in self.readings)


class BadClass(ValueError):
    """A bracket expression that is unclosed or reversed, next to a ``*`` or ``?``."""


def fold(text: str) -> str:
    """Case folding that keeps the number of characters, as file systems fold names."""
    if text.isascii():
        return text.lower()
    return "".join(_fold_char(char) for char in text)


def _fold_char(char: str) -> str:
    folded = char.casefold()
    if len(folded) == 1:
        return folded
    lower = char.lower()
    return lower if len(lower) == 1 else char


@lru_cache(maxsize=1)
def folding() -> dict[int, int]:
    """The code points that case folding changes, with what they become."""
    table = {}
    for code in range(0x110000):
        folded = _fold_char(chr(code)) if not 0xD800 <= code < 0xE000 else chr(code)
        if ord(folded) != code:
            table[code] = ord(folded)
    return table


def is_wild(text: str) -> bool:
    """Whether one segment's text has a wildcard reading. A bad class next to a wildcard is wild too."""
    if "*" in text or "?" in text:
        return True
    return "[" in text and _tokens(text, None) is not None


def _tokens(text: str, table: dict[int, int] | None) -> list[Token | None] | None:
    """The wildcard reading of a segment, ``None`` when it has none or a class in it is invalid.

    ``table`` is the case folding to apply.
    """
    tokens: list[Token | None] = []
    at, bad, brackets = 0, False, False
    while at < len(text):
        char = text[at]
        if char == "[":
            parsed = parse_class(text, at, table)
            if parsed is None:
                bad = True
                tokens.append(char)
                at += 1
            else:
                brackets = True
                charset, at = parsed
                tokens.append(charset)
            continue
        at += 1
        if char == "*":
            if not tokens or tokens[-1] is not None:
                tokens.append(None)
        else:
            tokens.append(ANY if char == "?" else char if table is None else _fold_char(char))
    wild = brackets or any(token is None or token is ANY for token in tokens)
    return tokens if wild and not bad else None


@lru_cache(maxsize=16384)
def segment(text: str, case_insensitive: bool = False) -> Segment:
    """Compile one non-empty segment. Raises ``BadClass``.

    A bracket expression without ``*`` or ``?`` beside it is also read as plain text, because directories are
    really called ``[id]``.
    """
    plain = fold(text) if case_insensitive else text
    tokens = _tokens(text, folding()) if case_insensitive and "[" in text else _tokens(plain, None)
    stars = tokens is not None and any(token is None or token is ANY for token in tokens)
    if tokens is None:
        if "*" in text or "?" in text:
            raise BadClass(text)
        return Segment(text, plain, (Glob.build(list(plain)),), file_ending(plain), any=False)
    readings = [Glob.build(tokens)]
    if not stars:
        readings.append(Glob.build(list(plain)))
    return Segment(text, None, tuple(readings), _common_ending(plain), any=tokens == [None])


def _common_ending(plain: str) -> str:
    """The file ending that the segment spells out, and so all its names have."""
    ending = file_ending(plain)
    return "" if any(char in ending for char in "*?[]") else ending


def meet(a: Segment, b: Segment) -> bool:
    """Whether some name is matched by both segments."""
    if a.any or b.any or a is b:
        return True
    if a.literal is not None:
        return b.matches(a.literal)
    if b.literal is not None:
        return a.matches(b.literal)
    return _meet(a, b, False) is not None


def meet_as_directory(a: Segment, b: Segment) -> bool:
    """Whether some name that is not a file by its ending is matched by both segments."""
    literal = a.literal if a.literal is not None else b.literal
    if literal is not None:
        return not file_ending(literal) and meet(a, b)
    if a.any and b.any:
        return True
    return _meet(a, b, True) is not None


def is_file(one: Segment) -> bool:
    """Whether every name of the segment is a file by its ending."""
    return bool(one.ending) or not meet_as_directory(one, one)


def shared_name(a: Segment, b: Segment, *, directory: bool) -> str | None:
    """A short name that both segments match; with ``directory`` one that is not a file by its ending."""
    literal = a.literal if a.literal is not None else b.literal
    if literal is not None:
        meeting = meet_as_directory(a, b) if directory else meet(a, b)
        return literal if meeting else None
    return _meet(a, b, directory)


@lru_cache(maxsize=65536)
def _meet(a: Segment, b: Segment, directory: bool) -> str | None:
    for left in a.readings:
        for right in b.readings:
            name = _product(left, right, directory)
            if name is not None:
                return name
    return None


Pair = tuple[int, int]


def _product(a: Glob, b: Glob, directory: bool) -> str | None:
    """A name in both languages, or ``None``: the product, row by row (see the module's docstring)."""
    final = (len(a.tokens), len(b.tokens))
    seeds = {(0, 0): ""}
    open_end = a.stars & b.stars & 1
    if directory and not open_end:
        seeds, whole = _past_endings(a, b)
        if whole is not None:
            return whole
    rows = _rows(a, b, seeds)
    if not rows[final[0]] >> final[1] & 1:
        return None
    name = _trace(a, b, rows, seeds, final) or "x"
    # Both end with a star, so both also match the name with something behind the ending.
    return name + "-x" if directory and open_end and file_ending(name) else name


def _rows(a: Glob, b: Glob, seeds: Iterable[Pair]) -> list[int]:
    """All pairs that can be reached from ``seeds``: ``rows[i]`` has bit ``j`` set for ``(i, j)``."""
    rows = [0] * (len(a.tokens) + 1)
    for i, j in seeds:
        rows[i] |= 1 << j
    every = (2 << len(b.tokens)) - 1
    compatible: dict[Token, int] = {}
    for i, row in enumerate(rows):
        if row and a.stars >> i & 1:
            row |= every & -(row & -row)
            rows[i] = row
        if not row or i == len(a.tokens):
            continue
        token = a.tokens[i]
        if token not in compatible:
            compatible[token] = b.compatible(token)
        rows[i + 1] |= ((row & compatible[token]) << 1) | (row & b.stars)
    return rows


def _trace(a: Glob, b: Glob, rows: list[int], seeds: dict[Pair, str], at: Pair) -> str:
    """Walk back from the final pair to a seed. The globs are reversed, so this spells the name forwards."""
    name: list[str] = []
    while at not in seeds:
        i, j = at
        both = common(a.tokens[i - 1], b.tokens[j - 1]) if i and j else None
        if both is not None and rows[i - 1] >> (j - 1) & 1:
            name.append(pick(both) or "")
            at = (i - 1, j - 1)
        elif i and b.stars >> j & 1 and rows[i - 1] >> j & 1:
            name.append(pick(a.tokens[i - 1]) or "")
            at = (i - 1, j)
        else:
            name.append(pick(b.tokens[j - 1]) or "")
            at = (i, j - 1)
    return "".join(name) + seeds[at]


def _past_endings(a: Glob, b: Glob) -> tuple[dict[Pair, str], str | None]:
    """Walk the tree of file endings along the product.

    Returns the pairs of states reached when the name can no longer become a file, each with the end of the
    name read so far; and a whole name, if one is complete before that. A node's depth bounds its pairs, so
    the work is bounded by the size of the tree.
    """
    final = (len(a.tokens), len(b.tokens))
    seeds: dict[Pair, str] = {}
    todo: list[tuple[Ending, dict[Pair, str]]] = [(ENDINGS, {(0, 0): ""})]
    while todo:
        node, pairs = todo.pop()
        if pairs.get(final):
            return seeds, pairs[final]
        for pair, suffix in pairs.items():
            for target, char in _steps(a, b, pair, node.decisive, None):
                seeds.setdefault(target, char + suffix)
        for letter, child in node.children.items():
            reached: dict[Pair, str] = {}
            for pair, suffix in pairs.items():
                for target, char in _steps(a, b, pair, frozenset(), letter):
                    reached.setdefault(target, char + suffix)
            if reached:
                todo.append((child, reached))
    return seeds, None


def _steps(
    a: Glob, b: Glob, pair: Pair, forbidden: frozenset[str], only: str | None
) -> Iterator[tuple[Pair, str]]:
    """The pairs one character further: that character is ``only``, or any that is not ``forbidden``."""
    for to_i, token_a in _moves(a, pair[0]):
        for to_j, token_b in _moves(b, pair[1]):
            both = common(token_a, token_b)
            if both is None:
                continue
            if only is not None:
                if accepts(both, only):
                    yield (to_i, to_j), only
            elif (char := pick(both, forbidden)) is not None:
                yield (to_i, to_j), char


def _moves(glob: Glob, state: int) -> Iterator[tuple[int, Token]]:
    if state < len(glob.tokens):
        yield state + 1, glob.tokens[state]
    if glob.stars >> state & 1:
        yield state, ANY
