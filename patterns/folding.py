"""Case folding that keeps the number of characters, as file systems fold names."""

from __future__ import annotations

from functools import lru_cache

# No script above has letters of two cases; looking at all of Unicode would take half a second.
_LAST_CASED = 0x20000


def fold(text: str) -> str:
    """``text`` folded character by character."""
    return text.lower() if text.isascii() else "".join(map(fold_char, text))


def fold_char(char: str) -> str:
    """One character folded; itself when its folding is longer than one character."""
    folded = char.casefold()
    if len(folded) == 1:
        return folded
    lower = char.lower()
    return lower if len(lower) == 1 else char


@lru_cache(maxsize=1)
def changed() -> dict[int, int]:
    """The code points that folding changes, in order, with what they become."""
    table = {}
    for code in range(_LAST_CASED):
        folded = ord(fold_char(chr(code)))
        if folded != code:
            table[code] = folded
    return table
