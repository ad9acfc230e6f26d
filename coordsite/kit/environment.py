"""``.coordination/local.env``: found, parsed, merged with the process's environment, rewritten in place.

The one parser of that file. Standard library only, and cheap to import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from coordsite.kit.places import coordination_of, repository_of

DEFAULT_URL = "http://127.0.0.1:8080"
PLACEHOLDERS = frozenset({"", "set-me", "example-org/example-repo", DEFAULT_URL, "https://coord.example.com"})
_ASSIGNMENT = re.compile(r"^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$")


class Settings(NamedTuple):
    """How to reach the service and as whom. ``sources`` tells per variable ``environment`` or ``file``."""

    url: str
    token: str
    repo_id: str
    user: str
    session_id: str
    path: str | None
    values: dict[str, str]
    sources: dict[str, str]


def find_local_env(start: str) -> str | None:
    """The ``local.env`` that governs ``start``, also from a linked work tree; ``None`` when there is none."""
    repository = repository_of(start)
    if repository is not None:
        directory = coordination_of(repository, start)
        found = os.path.join(directory, "local.env") if directory else ""
        return found if found and os.path.isfile(found) else None
    here = os.path.realpath(start)
    while True:
        candidate = os.path.join(here, ".coordination", "local.env")
        if os.path.isfile(candidate):
            return candidate
        parent = os.path.dirname(here)
        if parent == here:
            return None
        here = parent


def parse_env(text: str) -> dict[str, str]:
    """The assignments of a ``local.env``: data, never executed; the last of a name wins.

    Blank lines, comments and lines that are no assignment are skipped; one pair of quotes is taken off.
    """
    values: dict[str, str] = {}
    for line in text.lstrip("\ufeff").splitlines():
        found = None if line.lstrip().startswith("#") else _ASSIGNMENT.match(line)
        if found:
            values[found[2]] = _unquoted(found[3].strip())
    return values


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def rewrite_env(text: str, updates: Mapping[str, str]) -> str:
    """The text with each name of ``updates`` assigned; comments, order and other names stay as they are.

    The assignment that counts (the last) is replaced; a missing name is appended. A value with a line
    break or NUL is refused with ``ValueError``, for it would become another line.
    """
    for name, value in updates.items():
        if any(mark in value for mark in "\r\n\0"):
            raise ValueError(f"{name}: a value must be one line")
    lines = text.splitlines(keepends=True)
    missing = dict(updates)
    for index in range(len(lines) - 1, -1, -1):
        body = lines[index].rstrip("\r\n")
        found = None if body.lstrip().startswith("#") else _ASSIGNMENT.match(body)
        if found and found[2] in missing:
            value = missing.pop(found[2])
            if _unquoted(found[3].strip()) != value:
                lines[index] = f"{found[1]}{found[2]}={_quoted(value)}{lines[index][len(body) :]}"
    if missing and lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += "\n"
    lines += [f"{name}={_quoted(value)}\n" for name, value in updates.items() if name in missing]
    return "".join(lines)


def _quoted(value: str) -> str:
    """A value as written in the file: quoted only where reading it back would change it."""
    if value == _unquoted(value.strip()):
        return value
    return f'"{value}"'


def is_placeholder(value: str) -> bool:
    """Whether a value stands for "not set yet" in a template."""
    return value.strip() in PLACEHOLDERS


def resolve(environ: Mapping[str, str], cwd: str) -> Settings:
    """Merge the environment with the ``local.env`` that governs ``cwd``.

    A real value in the environment wins over the file; a placeholder counts as unset in both.
    """
    path = find_local_env(cwd)
    file: dict[str, str] = {}
    if path:
        try:
            with open(path, encoding="utf-8", errors="replace") as handle:
                file = parse_env(handle.read(262_144))
        except OSError:
            file = {}
    return merge(environ, file, path)


def merge(environ: Mapping[str, str], file: Mapping[str, str], path: str | None) -> Settings:
    """The settings that an environment and the assignments of a file give together."""
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for source, mapping in (("file", file), ("environment", environ)):
        for name, value in mapping.items():
            if name.startswith("COORD_") and not is_placeholder(value):
                values[name], sources[name] = value.strip(), source

    def first(*names: str) -> str:
        return next((values[name] for name in names if name in values), "")

    return Settings(
        url=(first("COORD_API_URL", "COORD_SERVICE_URL", "COORD_URL") or DEFAULT_URL).rstrip("/"),
        token=first("COORD_AUTH_TOKEN", "COORD_TOKEN"),
        repo_id=first("COORD_REPO_ID"),
        user=first("COORD_REQUESTER", "COORD_USER"),
        session_id=environ.get("COORD_SESSION_ID", "").strip(),
        path=path,
        values=values,
        sources=sources,
    )
