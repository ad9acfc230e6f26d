"""The symbols of files in a checkout: to check symbol claims, and to say where symbols are."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from claims.checkout import Checkout
from claims.scopes import Item
from symbols import (
    GrammarMissing,
    SourceTooLarge,
    Symbol,
    SymbolsError,
    accepted_paths,
    extract,
    language_of,
    nearest,
)

MOST_BYTES = 2_000_000
MOST_NAMED = 20
_MOST_CACHED = 256
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A file's symbols; ``problem`` says why they could not be read."""

    symbols: tuple[Symbol, ...] = ()
    problem: str | None = None


_cache: OrderedDict[_Key, Source] = OrderedDict()
_lock = Lock()


def source_of(checkout: Checkout, path: str) -> Source | None:
    """The symbols of a file; ``None`` for what is not a readable file of a known language."""
    language = language_of(path)
    if language is None:
        return None
    try:
        content = _read(checkout.root, path)
    except SourceTooLarge as error:
        return Source(problem=str(error))
    if content is None:
        return None
    key = (language, hashlib.sha256(content).hexdigest())
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    try:
        source = Source(extract(content, language))
    except GrammarMissing as error:
        return Source(problem=str(error))  # not kept: the grammar may be installed meanwhile
    except SymbolsError as error:
        source = Source(problem=str(error))
    with _lock:
        _cache[key] = source
        while len(_cache) > _MOST_CACHED:
            _cache.popitem(last=False)
    return source


def unknown_symbols(items: Sequence[Item], checkout: Checkout) -> tuple[str | None, list[str]]:
    """Why symbols are refused (``None`` when none is), and warnings about files that cannot be checked.

    Globs, new files, and files in which nothing is found are not checked.
    """
    refusals, warnings = [], []
    for item in items:
        if not item.symbols or not item.pattern.is_literal:
            continue
        source = source_of(checkout, item.pattern.text)
        if source is None:
            continue
        if source.problem is not None:
            warnings.append(f"Symbols of '{item.sent}' are not checked: {source.problem}")
        elif source.symbols:
            known = sorted(accepted_paths(source.symbols))
            missing = sorted(path for path in item.symbols if path not in known)
            if missing:
                refusals.append(_refusal(item, missing, known))
    return ("; ".join(refusals) or None), warnings


def line_ranges(checkout: Checkout, path: str, symbols: Sequence[str]) -> dict[str, list[int]]:
    """First and last line of each symbol, where the source is known."""
    source = source_of(checkout, path)
    if source is None:
        return {}
    found = {symbol.path: [symbol.start_line, symbol.end_line] for symbol in source.symbols}
    return {name: found[name] for name in symbols if name in found}


def _refusal(item: Item, missing: Sequence[str], known: Sequence[str]) -> str:
    close = [name for wrong in missing for name in nearest(known, wrong)]
    shown = list(dict.fromkeys([*close, *known]))[:MOST_NAMED]
    return f"Unknown symbols in '{item.sent}': {list(missing)}. Known symbols (up to {MOST_NAMED}): {shown}"


def _read(root: Path, path: str) -> bytes | None:
    """The file's bytes, if it is a file of the checkout (links do not lead out); else ``None``.

    Raises :class:`SourceTooLarge` before it is read.
    """
    try:
        base = root.resolve()
        place = (base / path).resolve()
        if not place.is_relative_to(base) or not place.is_file():
            return None
        size = place.stat().st_size
        if size > MOST_BYTES:
            raise SourceTooLarge(size, MOST_BYTES)
        return place.read_bytes()
    except (OSError, ValueError):
        return None
