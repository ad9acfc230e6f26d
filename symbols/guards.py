"""Bounds on what is parsed. Cheap looks at the bytes first, then a time limit on the parse itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from time import monotonic, thread_time

from symbols.errors import SourceTooDeep, SourceTooLarge

MAX_BYTES = 2_000_000
MAX_NESTING = 1_000
MAX_TREE_DEPTH = 1_000
# The scanner of Python's grammar writes beyond its buffer with more than 510 levels; a level takes a column.
MAX_INDENT = 500
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
_find_word = re.compile(rb"[0-9A-Za-z_\x80-\xff]").search
_STRETCH = MAX_PUNCTUATION_RUN // 2
_SPACE = b" \t\r\n\f\v"
_SHAPE = bytes(0x61 if byte in _WORD else 0x2E for byte in range(256))
_DEEPEST_INDENT = b" " * (MAX_INDENT + 1)
_INDENTED = re.compile(rb"(?:\A|[\n\r\f])" + _DEEPEST_INDENT)
_CONTINUED = re.compile(rb"\\\r?\n")
_LONGEST_RUN = b"." * (MAX_PUNCTUATION_RUN + 1)


def check(source: bytes, *, by_indent: bool = False) -> None:
    """Refuse bytes that are too many, or that no grammar reads in sensible time. Linear, a few ms per MB.

    `by_indent` is whether indentation makes blocks. Raises `SourceTooLarge` or `SourceTooDeep`.
    """
    if len(source) > MAX_BYTES:
        raise SourceTooLarge(len(source), MAX_BYTES)
    brackets = source.translate(None, _NOT_BRACKETS)
    # What may be a comparison or the start of type arguments is read both ways until it ends, all at once.
    if len(brackets) > MAX_NESTING and (
        _OPEN_ANGLES in brackets or _is_nested(brackets.translate(_PARENTHESES, _ANGLES + _ENDS))
    ):
        raise SourceTooDeep(f"brackets are nested more than {MAX_NESTING} deep")
    # Error recovery is quadratic in a row of tokens without a word between them.
    if _may_have_long_run(source) and _LONGEST_RUN in source.translate(_SHAPE, _SPACE):
        raise SourceTooDeep(f"it has more than {MAX_PUNCTUATION_RUN} punctuation characters in a row")
    if by_indent and _is_indented(source):
        raise SourceTooDeep(f"lines are indented by more than {MAX_INDENT} columns")


def parse_seconds(size: int) -> float:
    """How long a parse of so many bytes may take."""
    return PARSE_SECONDS + PARSE_SECONDS_PER_MB * size / 1e6


def limit(seconds: float) -> Callable[[int, bool], bool]:
    """A progress callback that cancels a parse after so many seconds of the thread's processor time."""
    # The clock on the wall is cheaper to read, and never behind the thread's.
    clock, end, thread_end = monotonic, monotonic() + seconds, thread_time() + seconds

    def is_over(_offset: int, _has_error: bool) -> bool:
        return clock() > end and thread_time() > thread_end

    return is_over


def _may_have_long_run(source: bytes) -> bool:
    """Whether some stretch has no word, of those into which every run above the bound must wholly reach."""
    starts = range(0, len(source) - _STRETCH + 1, _STRETCH)
    return not all(_find_word(source, start, start + _STRETCH) for start in starts)


def _is_indented(source: bytes) -> bool:
    """Whether a line is indented beyond the bound; also over continued lines, as the grammar counts."""
    if b"\t" in source:
        source = source.replace(b"\t", b" " * 8)
    if b"\\" in source:
        source = _CONTINUED.sub(b"", source)
    return _DEEPEST_INDENT in source and _INDENTED.search(source) is not None


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
