"""``.coordination/local.env`` as the kit uses it: read with the bridge's parser, rewritten in place.

Standard library only, and cheap to import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from coordsite.bridge.environment import MAX_BYTES, Settings, is_placeholder, merge, parse_env

_ASSIGNMENT = re.compile(r"^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$")


class Local(NamedTuple):
    """The settings that govern a ``.coordination`` directory, and every assignment of its ``local.env``."""

    settings: Settings
    file: dict[str, str]

    def value(self, name: str) -> str:
        """Any ``COORD_*`` value: of the environment, else of the file; a placeholder reads as ``""``."""
        found = [os.environ.get(name, ""), self.file.get(name, "")]
        return next((value.strip() for value in found if not is_placeholder(value)), "")


def local_of(directory: str) -> Local:
    """What the environment and the directory's ``local.env`` say together."""
    path = os.path.join(directory, "local.env")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            values = parse_env(file.read(MAX_BYTES), strict=False)
    except OSError:
        return Local(merge(os.environ, {}), {})
    return Local(merge(os.environ, values, path), values)


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
            if _read(found[3]) != value:
                lines[index] = f"{found[1]}{found[2]}={_quoted(value)}{lines[index][len(body) :]}"
    if missing and lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += "\n"
    lines += [f"{name}={_quoted(value)}\n" for name, value in updates.items() if name in missing]
    return "".join(lines)


def _quoted(value: str) -> str:
    """A value as written in the file: quoted only where reading it back would change it."""
    if value == _read(value):
        return value
    return f'"{value}"'


def _read(value: str) -> str:
    """A value as the parser reads it."""
    return parse_env(f"V={value}", strict=False).get("V", "")
