"""A checkout on this machine: the tracked files of a repository. It names real files, never decides.

Files come from ``git ls-files -z``, read outside every lock and cached until the index changes.
"""

from __future__ import annotations

import subprocess
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from claims.models import Repository
from claims.names import fold_repo, repo_of_remote
from patterns import Pattern, matches

MOST_NAMED = 20
GIT_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Checkout:
    """The tracked files of a checkout, sorted, and what was wrong with reading them."""

    root: Path
    files: tuple[str, ...]
    scope: str = ""
    problem: str | None = None

    def matching(self, pattern: Pattern) -> Iterator[str]:
        """Tracked files that the pattern covers; looks only below its literal prefix."""
        for path in self._below(pattern.prefix):
            if pattern.is_literal or matches(pattern, path):
                yield path

    def count(self, pattern: Pattern) -> int:
        """How many tracked files the pattern covers."""
        return sum(1 for _ in self.matching(pattern))

    def any(self, pattern: Pattern) -> bool:
        """Whether the pattern covers a tracked file."""
        return next(self.matching(pattern), None) is not None

    def in_both(self, mine: Pattern, held: Pattern) -> list[str]:
        """Tracked files that both patterns cover, the first few."""
        first, second = (mine, held) if len(mine.prefix) >= len(held.prefix) else (held, mine)
        found = []
        for path in self.matching(first):
            if matches(second, path):
                found.append(path)
                if len(found) == MOST_NAMED:
                    break
        return found

    def _below(self, prefix: str) -> Iterator[str]:
        if not prefix:
            yield from self.files
            return
        start = bisect_left(self.files, prefix)
        if start < len(self.files) and self.files[start] == prefix:
            yield prefix
        inside = f"{prefix}/"
        for index in range(bisect_left(self.files, inside), len(self.files)):
            if not self.files[index].startswith(inside):
                return
            yield self.files[index]


@dataclass(slots=True)
class _Cached:
    checkout: Checkout
    stamp: tuple[int, int]
    checked: float


_cache: dict[tuple[str, str], _Cached] = {}
_lock = threading.Lock()
_MOST_CACHED = 64
PLACES_KEPT_S = 2.0
"""How long, in seconds, a change of a repository's checkout in admin may take to be noticed."""
_places: dict[str, tuple[float, str, str]] = {}
_MOST_PLACES = 10_000


def forget() -> None:
    """Forget where checkouts are (another database)."""
    _places.clear()


def of_repository(name: str) -> Checkout | None:
    """The repository's checkout on this machine, or ``None``. A broken one has no files and a ``problem``."""
    root, scope = _place(name)
    return read(root, scope) if root else None


def read(root: str, scope: str = "") -> Checkout:
    """The checkout at ``root``, limited to the pathspec ``scope``; cached until git's index changes."""
    key = (root, scope)
    now = time.monotonic()
    cached = _cache.get(key)
    if cached is not None and now - cached.checked < min(0.5, settings.COORD.ls_files_cache_ttl_sec):
        return cached.checkout
    stamp = _stamp(root)
    if cached is not None and cached.stamp == stamp and cached.checkout.problem is None:
        cached.checked = now
        return cached.checkout
    checkout = _list(root, scope)
    with _lock:
        if len(_cache) >= _MOST_CACHED:
            _cache.clear()
        _cache[key] = _Cached(checkout, stamp, now)
    return checkout


@lru_cache(maxsize=64)
def remote_repository(root: str) -> str:
    """The repository id of a checkout: of its ``origin`` remote; empty when it has none."""
    result = _git(root, "remote", "get-url", "origin")
    return repo_of_remote(result.stdout.decode("utf-8", "replace").strip()) if result.returncode == 0 else ""


def _place(name: str) -> tuple[str, str]:
    """Where a repository's checkout is: as set for the repository, else the environment's for its own id
    and for the repository without an id.
    """
    known = _places.get(name)
    if known is None or time.monotonic() - known[0] > PLACES_KEPT_S:
        row = Repository.objects.filter(name=name).values_list("checkout_path", "checkout_scope").first()
        if len(_places) >= _MOST_PLACES:
            _places.clear()
        known = _places[name] = (time.monotonic(), *(row or ("", "")))
    if known[1]:
        return known[1], known[2]
    root = settings.COORD.repo_root
    if not root:
        return "", ""
    own = fold_repo(settings.COORD.repo_id) if settings.COORD.repo_id else remote_repository(root)
    return (root, settings.COORD.repo_scope) if name in ("", own) else ("", "")


def _stamp(root: str) -> tuple[int, int]:
    try:
        stat = _index_file(root).stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _index_file(root: str) -> Path:
    result = _git(root, "rev-parse", "--git-path", "index")
    return Path(root, result.stdout.decode("utf-8", "replace").strip() or ".git/index")


def _list(root: str, scope: str) -> Checkout:
    result = _git(root, "ls-files", "-z", *(["--", scope] if scope else []))
    if result.returncode != 0:
        lines = result.stderr.decode("utf-8", "replace").strip().splitlines() or ["git failed"]
        return Checkout(Path(root), (), scope, lines[0][:300])
    names = result.stdout.decode("utf-8", "surrogateescape").split("\0")
    return Checkout(Path(root), tuple(sorted(name for name in names if name)), scope)


def _git(root: str, *args: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", root, *args], capture_output=True, timeout=GIT_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(list(args), 1, b"", str(error).encode())
