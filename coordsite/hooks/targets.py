"""What an event is about to write, as paths of the repository. Pure: the client's files are elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from coordsite.kit.patches import diff_paths
from coordsite.kit.payloads import Event
from coordsite.kit.shellwords import plainly_reads
from coordsite.kit.shellwrites import GitAction, Writes, writes_of

MOST_COMMAND = 100_000
_WORKTREE = re.compile(r"\.(?:claude|cursor|codex)/worktrees/[^/]+/")
_PRIVATE = frozenset({".git", ".coordination"})


class Targets(NamedTuple):
    """``paths`` are written and can be claimed; ``looked_at`` are paths and globs that are only checked."""

    paths: tuple[str, ...] = ()
    looked_at: tuple[str, ...] = ()


def targets_of(event: Event, roots: Sequence[str]) -> Targets:
    """The event's paths below the repository's root; the deepest root that holds a path counts.

    What lies outside, and what belongs to git or coord, is left out.
    """
    writes = Writes((), (), (), (), read_only=True)
    command = event.command[:MOST_COMMAND]
    if command and not plainly_reads(command):
        writes = writes_of(command, event.cwd, {}, lambda _: False)
    patched = [
        posixpath.join(patch.cwd, path)
        for patch in writes.patches
        for path in diff_paths(patch.text, patch.strip)
    ]
    named = [path for action in writes.git for path in _pathspecs(action)]
    return Targets(
        _relative([*event.paths, *writes.paths, *patched], roots), _relative([*writes.globs, *named], roots)
    )


def _pathspecs(action: GitAction) -> list[str]:
    """The paths that a git command names; which of their files it changes only git can tell."""
    before, separator, after = _parted(action.args)
    named = [*after, *(word for word in before if action.action == "restore" and not word.startswith("-"))]
    if action.action not in ("restore", "checkout") or not (separator or named):
        return []
    return [posixpath.join(action.cwd, path) for path in named if not path.startswith(":")]


def _parted(arguments: tuple[str, ...]) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    if "--" not in arguments:
        return arguments, False, ()
    at = arguments.index("--")
    return arguments[:at], True, arguments[at + 1 :]


def _relative(paths: Iterable[str], roots: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in paths:
        below = relative_to(posixpath.normpath(path), roots)
        if below and not _PRIVATE.intersection(below.split("/")):
            found[below] = None
    return tuple(found)


def relative_to(path: str, roots: Sequence[str]) -> str:
    """The path below the deepest root; ``""`` for none. An agent's own work tree below it is a root too."""
    if not path.startswith("/"):
        return "" if path == ".." or path.startswith("../") else path
    inside = [root for root in roots if root and (path == root or path.startswith(f"{root.rstrip('/')}/"))]
    if not inside:
        return ""
    root = max(inside, key=len).rstrip("/")
    return _WORKTREE.sub("", path[len(root) + 1 :], count=1)
