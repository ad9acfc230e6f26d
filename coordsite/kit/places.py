"""Where a path belongs: its work tree, its repository and its ``.coordination`` directory.

Read from the file system alone (no git process), so that a hook can answer within milliseconds. The path
decides, never the working directory: an agent started in one checkout may write into another.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from coordsite.bridge.places import shared_by

COORDINATION = ".coordination"


class Repository(NamedTuple):
    """One work tree of a repository.

    ``top`` is the work tree's top level, ``git_dir`` its own git directory and ``common`` the directory
    that all linked work trees share. All three are real paths.
    """

    top: str
    git_dir: str
    common: str

    @property
    def main(self) -> str:
        """What the work trees share: the main one, or a bare repository itself."""
        return self.top if self.git_dir == self.common else shared_by(self.common)

    def relative(self, path: str) -> str:
        """The path as the service names it: from the top level, with forward slashes; ``""`` is the top."""
        below = os.path.relpath(path, self.top).replace(os.sep, "/")
        return "" if below == "." else below


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(4096).strip()
    except OSError:
        return ""


def _git_directory(top: str) -> str | None:
    """The git directory of a work tree, following the ``gitdir:`` file of linked ones and submodules."""
    marker = os.path.join(top, ".git")
    if os.path.isdir(marker):
        return marker if os.path.exists(os.path.join(marker, "HEAD")) else None
    line = _first_line(marker)
    if not line.startswith("gitdir:"):
        return None
    target = os.path.realpath(os.path.join(top, line.removeprefix("gitdir:").strip()))
    return target if os.path.isdir(target) else None


def repository_of(path: str) -> Repository | None:
    """The repository whose work tree holds ``path`` (which need not exist); ``None`` outside of any."""
    here = os.path.realpath(path)
    while True:
        git_dir = _git_directory(here)
        if git_dir is not None:
            shared = _first_line(os.path.join(git_dir, "commondir"))
            common = os.path.realpath(os.path.join(git_dir, shared)) if shared else git_dir
            return Repository(here, git_dir, common)
        parent = os.path.dirname(here)
        if parent == here:
            return None
        here = parent


def coordination_of(repository: Repository, path: str | None = None) -> str | None:
    """The ``.coordination`` directory that governs ``path`` (the top level when ``None``), if there is one.

    The nearest one at or above the path wins. It is machine-local and ignored by git, so a linked work
    tree has none of its own: the same place in the main work tree is looked at next.
    """
    below = repository.relative(os.path.realpath(path)) if path else ""
    parts = [part for part in below.split("/") if part]
    for root in dict.fromkeys((repository.top, repository.main)):
        for depth in range(len(parts), -1, -1):
            candidate = os.path.join(root, *parts[:depth], COORDINATION)
            if os.path.isfile(os.path.join(candidate, "local.env")) or os.path.isfile(
                os.path.join(candidate, "config.toml")
            ):
                return candidate
    return None


def is_private(repository: Repository, relative: str) -> bool:
    """Whether the path is git's or coord's own, which nobody claims."""
    parts = relative.split("/")
    return not relative or ".git" in parts or COORDINATION in parts
