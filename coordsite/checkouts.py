"""The service's own checkouts as a source of symbols, for callers of ``/mcp`` that have none at hand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection

from claims.api.access import repo_of
from claims.checkout import of_repository
from common.caller import Caller
from common.errors import CoordError
from coordsite.bridge.source import MAX_FILE_BYTES, Unreadable, described, no_source, parsed


class ServiceSource:
    """The tracked files of the caller's repository, where the service knows its checkout."""

    def __init__(self, caller: Caller, repo: str | None) -> None:
        self._caller = caller
        self._repo = repo

    def unknown_symbols(self, wanted: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
        """None: the service looks when the claim is made."""
        return [], []

    def symbols_of(self, file: str, text: str | None = None) -> dict[str, Any]:
        """The symbols of the text, else of the tracked file. Refused for a repository not the caller's."""
        if text is not None:
            return described(file, parsed(file, text.encode()))
        try:
            checkout = of_repository(repo_of(self._caller, self._repo))
        except CoordError as error:
            return {"detail": error.detail, "code": str(error.code), "next": error.next}
        finally:
            connection.close()  # this thread is nobody's: the next one asks on another
        if checkout is None:
            return no_source()
        path = file.removeprefix("./").lstrip("/")
        at = bisect_left(checkout.files, path)
        if checkout.files[at : at + 1] != (path,):
            return described(file, Unreadable(f"There is no tracked file {path[:120]!r}.", "no_file"))
        return described(file, _read(checkout.root, path))


def _read(root: Path, path: str) -> Any:
    base, place = root.resolve(), (root / path).resolve()
    if not place.is_relative_to(base) or not place.is_file():
        return Unreadable(f"There is no file {path[:120]!r} in the checkout.", "no_file")
    try:
        with place.open("rb") as file:
            return parsed(path, file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        return Unreadable(f"The file cannot be read: {error.strerror}", "unreadable")
