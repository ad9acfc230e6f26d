"""Where the bridge stands: the work tree, the main work tree and its ``.coordination`` directory.

Read from the file system alone, without a git process. Standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

COORDINATION = ".coordination"


class Checkout(NamedTuple):
    """One work tree: its top level and that of the main work tree (the same one outside linked ones).

    Linked work trees of a bare repository have no main one: the bare repository stands in for it.
    """

    top: str
    main: str


def checkout_of(path: str) -> Checkout | None:
    """The work tree that holds ``path``; ``None`` outside of any."""
    for here in _upwards(path):
        marker = os.path.join(here, ".git")
        if os.path.isfile(os.path.join(marker, "HEAD")):
            return Checkout(here, here)
        if os.path.isfile(marker):
            return Checkout(here, _main_of(here, marker))
    return None


def coordination_of(path: str) -> str | None:
    """The ``.coordination`` directory of the clone that holds ``path``.

    It is machine-local and ignored by git, so a linked work tree has none of its own: the main work
    tree's is preferred, then the work tree's own.
    """
    found = checkout_of(path)
    for root in dict.fromkeys((found.main, found.top) if found else ()):
        directory = os.path.join(root, COORDINATION)
        if os.path.isdir(directory):
            return directory
    return None


def candidates(start: str, name: str) -> Iterator[str]:
    """Where ``.coordination/<name>`` may lie for ``start``, nearest first.

    Upwards to the top of the work tree, then the main work tree, then upwards to the root.
    """
    found = checkout_of(start)
    ways = list(_upwards(start))
    if found and found.top in ways:
        ways.insert(ways.index(found.top) + 1, found.main)
    for here in dict.fromkeys(ways):
        yield os.path.join(here, COORDINATION, name)


def _upwards(path: str) -> Iterator[str]:
    here = os.path.realpath(path)
    while True:
        yield here
        parent = os.path.dirname(here)
        if parent == here:
            return
        here = parent


def _main_of(top: str, marker: str) -> str:
    """The main work tree of a linked one: git's ``commondir`` file names the shared ``.git`` directory."""
    line = _first_line(marker)
    if not line.startswith("gitdir:"):
        return top
    git_dir = os.path.realpath(os.path.join(top, line.removeprefix("gitdir:").strip()))
    shared = _first_line(os.path.join(git_dir, "commondir"))
    if not shared:
        return top
    return shared_by(os.path.realpath(os.path.join(git_dir, shared)))


def shared_by(common: str) -> str:
    """Where the work trees of a common git directory look besides their own: the main one, or a bare
    repository itself.
    """
    return os.path.dirname(common) if os.path.basename(common) == ".git" else common


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(4096).strip()
    except OSError:
        return ""
