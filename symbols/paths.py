"""Symbol paths: `A::B::leaf`. Pure text rules, no parsing of source."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

SEPARATOR = "::"
MAX_LENGTH = 512
MAX_DEPTH = 32

_SPACES = re.compile(r"\s+")


def parse_symbol_path(text: str) -> str:
    """Return the canonical form of a symbol path written by a client.

    Spaces around the parts are dropped, runs of spaces inside a part become one, the text is NFC.
    Raises `ValueError`, whose text says what to change, for an empty path or part, a control character,
    more than `MAX_LENGTH` characters or more than `MAX_DEPTH` parts.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a symbol path has at most {MAX_LENGTH} characters, this one has {len(text)}")
    parts = [_SPACES.sub(" ", part.strip()) for part in unicodedata.normalize("NFC", text).split(SEPARATOR)]
    if parts == [""]:
        raise ValueError("a symbol path must not be empty")
    if len(parts) > MAX_DEPTH:
        raise ValueError(f"a symbol path has at most {MAX_DEPTH} parts, this one has {len(parts)}")
    for part in parts:
        if not part or part.startswith(":") or part.endswith(":"):
            raise ValueError(f"the symbol path {text!r} has an empty part; write it as Outer::inner")
        if not part.isprintable():
            raise ValueError(f"the symbol path {text!r} has a control character")
    path = SEPARATOR.join(parts)
    if len(path) > MAX_LENGTH:  # NFC lengthens a few texts
        raise ValueError(f"a symbol path has at most {MAX_LENGTH} characters, this one has {len(path)}")
    return path


def paths_overlap(a: str, b: str) -> bool:
    """Whether two canonical paths name the same symbol, or one names an ancestor of the other."""
    return a == b or a.startswith(b + SEPARATOR) or b.startswith(a + SEPARATOR)


def ancestors(path: str) -> list[str]:
    """The paths above `path`, outermost first: `A::B::c` gives `A` and `A::B`."""
    parts = path.split(SEPARATOR)
    return [SEPARATOR.join(parts[:count]) for count in range(1, len(parts))]


def nearest(names: Iterable[str], unknown: str, *, limit: int = 5) -> list[str]:
    """The up to `limit` names nearest to `unknown` in spelling, best first; possibly none.

    A name whose last part is exactly that of `unknown` counts as near, whatever encloses it.
    """
    known = sorted(set(names))
    leaf = unknown.rsplit(SEPARATOR, 1)[-1]
    found = [name for name in known if name.rsplit(SEPARATOR, 1)[-1] == leaf][:limit]
    folded = {name.casefold(): name for name in reversed(known)}
    for match in difflib.get_close_matches(unknown.casefold(), folded, n=limit, cutoff=0.6):
        if folded[match] not in found:
            found.append(folded[match])
    return found[:limit]
