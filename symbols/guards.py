"""Bounds on what is parsed. Cheap looks at the bytes first, then a time limit on the parse itself."""

from __future__ import annotations

import time
from itertools import accumulate

from symbols.errors import SourceTooDeep, SourceTooLarge

MAX_BYTES = 2_000_000
MAX_NESTING = 1_000
MAX_TREE_DEPTH = 1_000
MAX_PUNCTUATION_RUN = 5_000
MAX_ERROR_TOKENS = 5_000
# Code of any kind is read ten times as fast.
PARSE_SECONDS = 0.5
PARSE_SECONDS_PER_MB = 2.0

_OPENING, _CLOSING = b"([{", b")]}"
_ANGLES, _ENDS = b"<", b">;"
_NOT_BRACKETS = bytes(set(range(256)) - set(_OPENING + _CLOSING + _ANGLES + _ENDS))
_PARENTHESES = bytes.maketrans(_OPENING + _CLOSING, b"((()))")
_OPEN_ANGLES = b"<" * (MAX_NESTING + 1)
_STEP = {ord("("): 1, ord(")"): -1}
# Innermost pairs are taken away this often before the rest is counted: enough for what people write.
_PEELED = 16
_WORD = set(b"_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") | set(range(128, 256))
_SPACE = b" \t\r\n\f\v"
_SHAPE = bytes(0x61 if byte in _WORD else 0x2E for byte in range(256))
_LONGEST_RUN = b"." * (MAX_PUNCTUATION_RUN + 1)


def check(source: bytes) -> None:
    """Refuse bytes that are too many, or that no grammar reads in sensible time. Linear, a few ms per MB.

    Raises `SourceTooLarge` or `SourceTooDeep`.
    """
    if len(source) > MAX_BYTES:
        raise SourceTooLarge(len(source), MAX_BYTES)
    brackets = source.translate(None, _NOT_BRACKETS)
    # What may be a comparison or the start of type arguments is read both ways until it ends, all at once.
    if _OPEN_ANGLES in brackets or _is_nested(brackets.translate(_PARENTHESES, _ANGLES + _ENDS)):
        raise SourceTooDeep(f"brackets are nested more than {MAX_NESTING} deep")
    # Error recovery is quadratic in a row of tokens without a word between them. Deleting is slow, so first
    # look for rows that have the length with the space in them.
    if _LONGEST_RUN in source.translate(_SHAPE) and _LONGEST_RUN in source.translate(_SHAPE, _SPACE):
        raise SourceTooDeep(f"it has more than {MAX_PUNCTUATION_RUN} punctuation characters in a row")


class Limit:
    """A progress callback that cancels a parse of so many bytes, by the processor time of the thread."""

    def __init__(self, size: int) -> None:
        self.seconds = PARSE_SECONDS + PARSE_SECONDS_PER_MB * size / 1e6
        self._begun, self._end = time.monotonic(), time.thread_time() + self.seconds

    def __call__(self, _offset: int, _has_error: bool) -> bool:
        # The clock on the wall is cheaper to read, and never behind the thread's.
        return time.monotonic() - self._begun > self.seconds and time.thread_time() > self._end


def _is_nested(parentheses: bytes) -> bool:
    """Whether their count rises by more than the bound over any stretch: unbalanced closings hide nothing."""
    rest = parentheses
    for peeled in range(_PEELED):
        if len(rest) <= MAX_NESTING - peeled:
            return False
        rest = rest.replace(b"()", b"")
    levels = list(accumulate(map(_STEP.__getitem__, parentheses), initial=0))
    if max(levels) - min(levels) <= MAX_NESTING:
        return False
    lows = accumulate(levels, min)
    return any(level - low > MAX_NESTING for level, low in zip(levels, lows, strict=True))
