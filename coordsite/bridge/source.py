"""The local checkout as a source of symbols: checked before a claim is sent, listed on request."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from coordsite.bridge.environment import Settings
from coordsite.bridge.places import checkout_of

if TYPE_CHECKING:
    from symbols import Symbol

MAX_FILE_BYTES = 2_000_000
_SHOWN_NAMES = 20


class Unreadable(NamedTuple):
    """Why a file's symbols cannot be told."""

    detail: str
    code: str


def parsed(path: str, content: bytes) -> tuple[Symbol, ...] | Unreadable:
    """The symbols of a file's content, or why not. The path tells the language."""
    if len(content) > MAX_FILE_BYTES:
        return Unreadable("The file is too large to look into.", "too_large")
    import symbols

    language = symbols.language_of(path)
    if language is None:
        return Unreadable("Symbols of this kind of file are not known.", "no_language")
    try:
        return symbols.extract(content, language)
    except symbols.SymbolsError as error:
        return Unreadable(str(error), "unparsable")


def described(file: str, found: tuple[Symbol, ...] | Unreadable) -> dict[str, Any]:
    """What a tool says of a file: its symbols in order, or why there are none to name."""
    if isinstance(found, Unreadable):
        return {**found._asdict(), "next": "Claim the whole file."}
    rows = [
        {"path": symbol.path, "kind": symbol.kind, "lines": f"{symbol.start_line}-{symbol.end_line}"}
        for symbol in found
    ]
    return {"file": file, "symbols": rows}


def no_source() -> dict[str, Any]:
    """What is said where there is no checkout."""
    return {
        "detail": "There is no checkout here to read symbols from.",
        "code": "no_source",
        "next": "Send the file's text as source, or claim the file.",
    }


class LocalSource:
    """Files below the repository root: ``COORD_REPO_ROOT``, else the work tree, else the working directory.

    What cannot be read or parsed is left to the service: a missing file, another language, and, with a
    warning, a file whose grammar is not installed or that is too large. Nothing is raised.
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

    def unknown_symbols(self, wanted: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
        """Per file that lacks a wanted symbol: ``path: a, b (did you mean c?)``; and what is not checked."""
        problems: list[str] = []
        unchecked: list[str] = []
        if self._off:
            return problems, unchecked
        for path, names in wanted.items():
            found = self._parse(path)
            if isinstance(found, Unreadable):
                if found.code in ("too_large", "unparsable"):
                    unchecked.append(f"Symbols of '{path}' are not checked: {found.detail}")
                continue
            import symbols

            known = symbols.accepted_paths(found)
            unknown = [name for name in names if _canonical(name) not in known]
            if unknown:
                near = symbols.nearest(known, unknown[0])
                hint = f" (did you mean {', '.join(near[:3])}?)" if near else ""
                problems.append(f"{path}: {', '.join(unknown[:_SHOWN_NAMES])}{hint}")
        return problems, unchecked

    def symbols_of(self, file: str, text: str | None = None) -> dict[str, Any]:
        """The file's symbols in order: path, kind and lines; or why there are none to name."""
        return described(file, self._parse(file) if text is None else parsed(file, text.encode()))

    def _parse(self, path: str) -> tuple[Symbol, ...] | Unreadable:
        """The symbols of a file, or why not."""
        full = self._inside(path)
        if full is None or not os.path.isfile(full):
            return Unreadable(f"There is no file {path[:120]!r} below {self.root}.", "no_file")
        try:
            with open(full, "rb") as file:
                return parsed(path, file.read(MAX_FILE_BYTES + 1))
        except OSError as error:
            return Unreadable(f"The file cannot be read: {error.strerror}", "unreadable")

    def _inside(self, path: str) -> str | None:
        root = self.root
        full = os.path.realpath(os.path.join(root, path.replace("\\", "/").lstrip("/")))
        return full if os.path.commonpath([root, full]) == root else None


def _canonical(name: str) -> str:
    import symbols

    try:
        return symbols.parse_symbol_path(name)
    except ValueError:
        return name
