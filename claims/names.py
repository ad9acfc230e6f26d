"""Repository ids: one grammar, folded to one case."""

from __future__ import annotations

import re

MOST = 200
_GRAMMAR = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*")


class BadRepo(ValueError):
    """The text is not a repository id; the message says what is."""


def fold_repo(text: str | None) -> str:
    """The repository's name: trimmed and case-folded; no id is ``""``. Raises :class:`BadRepo`."""
    name = (text or "").strip().casefold()
    if not name:
        return ""
    if len(name) > MOST or not _GRAMMAR.fullmatch(name):
        raise BadRepo(
            f"'{name[:60]}' is not a repository id: segments of letters, digits, '.', '_' and '-', each"
            f" beginning with a letter or digit, joined by '/', {MOST} characters at most"
        )
    return name


def repo_of_remote(url: str) -> str:
    """``owner/name`` of a git remote, URL or scp style; empty when there is none."""
    path = url.removesuffix("/").removesuffix(".git").replace(":", "/")
    parts = [part for part in path.split("/") if part]
    try:
        return fold_repo("/".join(parts[-2:])) if len(parts) >= 2 else ""
    except BadRepo:
        return ""
