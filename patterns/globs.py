"""One segment of a pattern: compiled to a small automaton, and what it matches.

A segment without ``/`` is compiled to a *glob*: the single-character tokens ``t[0] … t[n-1]`` and the set of
positions (as bits of one integer) at which a ``*`` stands. This is an automaton with the states ``0 … n``: a
character that ``t[k]`` accepts leads from ``k`` to ``k + 1``, and a state with a star also loops on anything.
Matching a name runs it on a bit set of states, one shift per character (Baeza-Yates and Gonnet's shift-and),
so it is linear in the name times machine words of the segment.

Globs read names from their end, because that is where the file ending is that ``patterns.meeting`` asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from patterns.charsets import ANY, CharSet, Token, accepts, common, parse_class
from patterns.endings import ENDINGS, file_ending
from patterns.folding import fold, fold_char


@dataclass(slots=True, eq=False)
class Glob:
    """One reading of a segment, reversed: token 0 is the last character of the name.

    ``text`` has one character for each token, NUL where the token is not a plain character: it is in
    ``classes`` then, or ``wild`` has its bit because it is ``?``. ``stars`` has bit ``k`` set when a ``*``
    stands in front of token ``k`` (bit ``n``: after the last).
    """

    text: str
    stars: int
    wild: int
    classes: dict[int, CharSet]

    @classmethod
    def build(cls, tokens: Sequence[Token | None]) -> Glob:
        """Compile tokens in reading order, where ``None`` is a star."""
        text: list[str] = []
        stars = wild = 0
        classes: dict[int, CharSet] = {}
        for token in reversed(tokens):
            if token is None:
                stars |= 1 << len(text)
                continue
            if token is ANY:
                wild |= 1 << len(text)
            elif not isinstance(token, str):
                classes[len(text)] = token
            text.append(token if isinstance(token, str) else "\0")
        return cls("".join(text), stars, wild, classes)

    def token(self, at: int) -> Token:
        """What moves from state ``at`` to the next."""
        char = self.text[at]
        return char if char != "\0" else self.classes.get(at, ANY)

    def accepting(self, char: str) -> int:
        """The positions whose token accepts ``char``, as bits."""
        mask = self.wild
        at = self.text.find(char)
        while at >= 0:
            mask |= 1 << at
            at = self.text.find(char, at + 1)
        for at, charset in self.classes.items():
            if accepts(charset, char):
                mask |= 1 << at
        return mask

    def compatible(self, token: Token) -> int:
        """The positions whose token shares a character with ``token``, as bits."""
        if isinstance(token, str):
            return self.accepting(token)
        if token is ANY:
            return (1 << len(self.text)) - 1
        mask = self.wild
        for at, char in enumerate(self.text):
            if common(token, self.classes.get(at, ANY) if char == "\0" else char) is not None:
                mask |= 1 << at
        return mask

    def matches(self, name: str) -> bool:
        """Whether this reading matches the whole ``name``."""
        states = 1
        masks: dict[str, int] = {}
        for char in reversed(name):
            mask = masks.get(char)
            if mask is None:
                mask = masks[char] = self.accepting(char)
            states = ((states & mask) << 1) | (states & self.stars)
            if not states:
                return False
        return bool(states >> len(self.text) & 1)

    def never_file(self) -> bool:
        """Whether the characters that the segment spells out at its end rule out every file ending."""
        node = ENDINGS
        for index, char in enumerate(self.text):
            if self.stars >> index & 1 or char == "\0":
                return False
            if char == ".":
                return not node.known
            if char not in node.children:
                return True
            node = node.children[char]
        return not self.stars >> len(self.text) & 1


@dataclass(slots=True, eq=False)
class Segment:
    """A compiled segment: the union of its readings. ``literal`` is its only name, when it has only one.

    ``ending`` is the file ending that it spells out; ``never_file`` says that no name of it has one. ``any``
    is a lone ``*``. Instances are interned by ``segment``; they compare by identity.
    """

    text: str
    literal: str | None
    globs: tuple[Glob, ...]
    ending: str
    never_file: bool
    any: bool

    @property
    def readings(self) -> tuple[Glob, ...]:
        """The globs whose union the segment is. That of a literal is made when asked for."""
        return self.globs if self.literal is None else (Glob.build(self.literal),)

    def matches(self, name: str) -> bool:
        """Whether one non-empty name, in the segment's case folding, is in the language."""
        if self.literal is not None:
            return name == self.literal
        return self.any or any(reading.matches(name) for reading in self.globs)


class BadClass(ValueError):
    """A bracket expression that is unclosed or reversed, next to a ``*`` or ``?``."""


def is_wild(text: str) -> bool:
    """Whether one segment's text has a wildcard reading. A bad class next to a wildcard is wild too."""
    if "*" in text or "?" in text:
        return True
    return "[" in text and _tokens(text, False) is not None


def _tokens(text: str, folded: bool) -> list[Token | None] | None:
    """The wildcard reading of a segment, ``None`` when it has none or a class in it is invalid."""
    tokens: list[Token | None] = []
    at, brackets = 0, False
    while at < len(text):
        char = text[at]
        if char == "[":
            parsed = parse_class(text, at, folded=folded)
            if parsed is None:
                return None
            brackets = True
            charset, at = parsed
            tokens.append(charset)
            continue
        at += 1
        if char == "*":
            if not tokens or tokens[-1] is not None:
                tokens.append(None)
        else:
            tokens.append(ANY if char == "?" else fold_char(char) if folded else char)
    wild = brackets or any(token is None or token is ANY for token in tokens)
    return tokens if wild else None


@lru_cache(maxsize=4096)
def segment(text: str, case_insensitive: bool = False) -> Segment:
    """Compile one non-empty segment. Raises ``BadClass``.

    A bracket expression without ``*`` or ``?`` beside it is also read as plain text, because directories are
    really called ``[id]``.
    """
    plain = fold(text) if case_insensitive else text
    tokens = _tokens(text, case_insensitive)
    stars = tokens is not None and any(token is None or token is ANY for token in tokens)
    globs: list[Glob] = []
    if tokens is not None:
        globs.append(Glob.build(tokens))
        if not stars:
            globs.append(Glob.build(plain))
    elif "*" in text or "?" in text:
        raise BadClass(text)
    return Segment(
        text=text,
        literal=plain if tokens is None else None,
        globs=tuple(globs),
        ending=_common_ending(plain),
        never_file=all(glob.never_file() for glob in globs) if globs else not file_ending(plain),
        any=tokens == [None],
    )


@lru_cache(maxsize=4096)
def plain_segment(text: str, case_insensitive: bool = False) -> Segment:
    """The segment that is one name, whatever characters it has."""
    if not is_wild(text):
        return segment(text, case_insensitive)
    plain = fold(text) if case_insensitive else text
    ending = file_ending(plain)
    return Segment(text, plain, (), ending, not ending, any=False)


def _common_ending(plain: str) -> str:
    """The file ending that the segment spells out, and so all its names have."""
    ending = file_ending(plain)
    return "" if any(char in ending for char in "*?[]") else ending
