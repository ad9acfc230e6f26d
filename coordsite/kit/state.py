"""What a hook remembers between two calls of one session: small, private, safe to lose.

Kept outside the repository in a directory of mode 0700 that belongs to the user. Where such a directory
cannot be had (a symbolic link, another owner, wider rights) nothing is kept and the hook still works.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

_MAX_BYTES = 1_048_576


def directory() -> str | None:
    """The private directory, made when missing; ``None`` when it cannot be trusted."""
    base = os.environ.get("COORD_HOOK_STATE") or os.environ.get("XDG_RUNTIME_DIR") or _temporary()
    path = os.path.join(base, f"coord-hook-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
    try:
        if not os.path.lexists(path):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
    except OSError:
        return None
    if not _is_directory(found.st_mode):
        return None
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o077):
        return None
    return path


def _is_directory(mode: int) -> bool:
    return mode & 0o170000 == 0o040000


def _temporary() -> str:
    return os.environ.get("TMPDIR") or os.environ.get("TEMP") or "/tmp"  # noqa: S108 - checked by directory()


class State:
    """One session's memory for one repository. ``values`` is plain JSON; call :meth:`save` to keep it."""

    def __init__(self, session: str, common: str) -> None:
        self._folder = directory()
        self._name = f"{_safe(session)}-{zlib.crc32(os.fsencode(common)):08x}.json"
        self.values: dict[str, Any] = self._load()

    def _load(self) -> dict[str, Any]:
        if self._folder is None:
            return {}
        try:
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
            handle = os.open(os.path.join(self._folder, self._name), flags)
            with os.fdopen(handle, encoding="utf-8") as file:
                found = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def save(self) -> None:
        """Keep the values; a failure costs only repetition."""
        if self._folder is None:
            return
        path = os.path.join(self._folder, self._name)
        temporary = f"{path}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        try:
            with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump(self.values, file)
            os.replace(temporary, path)
        except OSError:
            return

    def forget(self) -> None:
        """Remove what is kept for the session."""
        self.values = {}
        if self._folder is not None:
            try:
                os.unlink(os.path.join(self._folder, self._name))
            except OSError:
                return

    def first_time(self, topic: str) -> bool:
        """Whether ``topic`` was not said yet in this session; marks it said."""
        said = self.values.setdefault("said", [])
        if topic in said:
            return False
        said.append(topic)
        return True


def _safe(session: str) -> str:
    plain = session.isascii() and all(char.isalnum() or char in "-_" for char in session)
    if plain and 0 < len(session) <= 80:
        return session
    import hashlib

    return hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()[:40]
