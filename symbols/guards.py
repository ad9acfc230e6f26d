"""Bounds on what is parsed. Cheap looks at the bytes first, then a time limit on the parse itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import accumulate

from symbols.errors import SourceTooDeep, SourceTooLarge

MAX_BYTES = 2_000_000
MAX_NESTING = 1_000
MAX_TREE_DEPTH = 1_000
MAX_PUNCTUATION_RUN = 5_000
PARSE_SECONDS = 5.0

_OPENING, _CLOSING = b"([{", b")]}"
_NOT_BRACKETS = bytes(set(range(256)) - set(_OPENING + _CLOSING))
_STEP = tuple(1 if byte in _OPENING else -1 if byte in _CLOSING else 0 for byte in range(256))
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
    if len(brackets) > MAX_NESTING and _nesting(brackets) > MAX_NESTING:
        raise SourceTooDeep(f"brackets are nested more than {MAX_NESTING} deep")
    # Error recovery is quadratic in a row of tokens without a word between them.
    if _LONGEST_RUN in source.translate(_SHAPE, _SPACE):
        raise SourceTooDeep(f"it has more than {MAX_PUNCTUATION_RUN} punctuation characters in a row")


def deadline() -> Callable[[int, bool], bool]:
    """A progress callback that cancels a parse once the thread has worked `PARSE_SECONDS` on it."""
    end = time.thread_time() + PARSE_SECONDS
    return lambda _offset, _has_error: time.thread_time() > end


def _nesting(brackets: bytes) -> int:
    """The greatest rise of the bracket count over any stretch: unbalanced closings hide nothing."""
    levels = list(accumulate(map(_STEP.__getitem__, brackets), initial=0))
    if max(levels) - min(levels) <= MAX_NESTING:
        return 0
    return max(level - low for level, low in zip(levels, accumulate(levels, min), strict=True))
