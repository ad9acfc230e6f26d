"""The local checkout as a source of symbols: checked before a claim is sent, listed on request."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from coordsite.bridge.environment import Settings
from coordsite.bridge.places import checkout_of

MAX_FILE_BYTES = 2_000_000
_SHOWN_NAMES = 20


class Unreadable(NamedTuple):
    """Why a file's symbols cannot be told."""

    detail: str
    code: str


class LocalSource:
    """Files below the repository root: ``COORD_REPO_ROOT``, else the work tree, else the working directory.

    What cannot be read or parsed is left to the service: a missing file, another language, a grammar that
    is not installed, a file too large. Nothing is raised.
    """

    def __init__(self, settings: Callable[[], Settings], cwd: str, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._cwd = cwd
        self._off = environ.get("COORD_DISABLE_CLIENT_VALIDATION", "").strip() == "1"

    @property
    def root(self) -> str:
        """The directory that paths are relative to."""
        given = self._settings().repo_root
        if given and os.path.isdir(given):
            return os.path.realpath(given)
        found = checkout_of(self._cwd)
        return found.top if found else os.path.realpath(self._cwd)

    def unknown_symbols(self, wanted: Mapping[str, list[str]]) -> list[str]:
        """Per file that lacks a wanted symbol: ``path: a, b (did you mean c?)``."""
        if self._off:
            return []
        problems = []
        for path, names in wanted.items():
            found = self._parse(path)
            if isinstance(found, Unreadable):
                continue
            symbols: Any = importlib.import_module("symbols")
            known = symbols.accepted_paths(found)
            unknown = [name for name in names if _canonical(symbols, name) not in known]
            if unknown:
                near = symbols.nearest(known, unknown[0])
                hint = f" (did you mean {', '.join(list(near)[:3])}?)" if near else ""
                problems.append(f"{path}: {', '.join(unknown[:_SHOWN_NAMES])}{hint}")
        return problems

    def symbols_of(self, file: str) -> dict[str, Any]:
        """The file's symbols in order: path, kind and lines; or why there are none to name."""
        found = self._parse(file)
        if isinstance(found, Unreadable):
            return {**found._asdict(), "next": "Claim the whole file."}
        rows = [
            {"path": symbol.path, "kind": symbol.kind, "lines": f"{symbol.start_line}-{symbol.end_line}"}
            for symbol in found
        ]
        return {"file": file, "symbols": rows}

    def _parse(self, path: str) -> tuple[Any, ...] | Unreadable:
        """The symbols of a file, or why not."""
        full = self._inside(path)
        if full is None or not os.path.isfile(full):
            return Unreadable(f"There is no file {path[:120]!r} below {self.root}.", "no_file")
        if os.path.getsize(full) > MAX_FILE_BYTES:
            return Unreadable("The file is too large to look into.", "too_large")
        try:
            symbols: Any = importlib.import_module("symbols")
            language = symbols.language_of(path)
            if language is None:
                return Unreadable("Symbols of this kind of file are not known.", "no_language")
            with open(full, "rb") as file:
                source = file.read(MAX_FILE_BYTES + 1)
        except (ImportError, AttributeError, OSError) as error:
            return Unreadable(f"The file cannot be looked into: {error}", "unreadable")
        try:
            return tuple(symbols.extract(source, language))
        except (symbols.GrammarMissing, symbols.SourceTooLarge, symbols.SourceTooDeep) as error:
            return Unreadable(str(error) or type(error).__name__, "unparsable")

    def _inside(self, path: str) -> str | None:
        root = self.root
        full = os.path.realpath(os.path.join(root, path.replace("\\", "/").lstrip("/")))
        return full if os.path.commonpath([root, full]) == root else None


def _canonical(symbols: Any, name: str) -> str:
    try:
        return str(symbols.parse_symbol_path(name))
    except ValueError:
        return name
