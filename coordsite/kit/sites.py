"""Where ``coord init`` works: which files are tracked, which machine-local, where git looks for hooks."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from coordsite.kit.gitread import line
from coordsite.kit.places import COORDINATION, Repository, repository_of

_REMOTE = re.compile(r"[:/]([^:/\s]+)/([^:/\s]+?)(?:\.git)?/*$")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class NotHere(Exception):
    """The place cannot be initialised; the text says why and what to do."""


class Site(NamedTuple):
    """A repository to be wired.

    ``root`` is where the tracked files go (the work tree's top, or ``--root``); ``directory`` the
    machine-local ``.coordination``, where linked work trees share it; ``below`` is the
    root relative to the top (``""`` for the top itself).
    """

    repository: Repository
    root: str
    below: str
    directory: str

    @property
    def hooks(self) -> str:
        """The directory in which git looks for hooks, whatever ``core.hooksPath`` says."""
        path = line(self.repository.top, "rev-parse", "--git-path", "hooks") or ".git/hooks"
        return os.path.normpath(os.path.join(self.repository.top, os.path.expanduser(path)))

    @property
    def hooks_are_tracked(self) -> bool:
        """Whether that directory lies in the work tree, where it is the project's and not this machine's."""
        real = os.path.realpath(self.hooks)
        inside = real.startswith((self.repository.top + os.sep, self.repository.main + os.sep))
        return inside and not real.startswith(self.repository.common + os.sep)


def site_at(start: str, root: str | None = None) -> Site:
    """The site of a working directory, or of ``--root``. Raises :class:`NotHere`."""
    place = os.path.realpath(os.path.join(start, root)) if root else os.path.realpath(start)
    if not os.path.isdir(place):
        raise NotHere(f"--root {root}: no such directory")
    repository = repository_of(place)
    if repository is None:
        raise NotHere(f"{place} is not in a git work tree; run `git init` first, or give --root")
    if line(place, "rev-parse", "--is-inside-work-tree") == "false":
        raise NotHere(f"{place} is not in a git work tree; run it in one of the repository's work trees")
    below = repository.relative(place) if root else ""
    directory = os.path.join(repository.main, *below.split("/"), COORDINATION)
    return Site(repository, place if root else repository.top, below, directory)


def site_of(start: str) -> Site | None:
    """The initialised site that governs a working directory; ``None`` where there is none."""
    from coordsite.kit.places import coordination_of

    repository = repository_of(start)
    directory = coordination_of(repository, start) if repository else None
    if repository is None or directory is None:
        root = line(repository.top, "config", "--get", "coord.root") if repository else ""
        directory = coordination_of(repository, os.path.join(repository.top, root)) if repository else None
    if repository is None or directory is None:
        return None
    holder = os.path.dirname(directory)
    base = repository.top if (holder + os.sep).startswith(repository.top + os.sep) else repository.main
    below = os.path.relpath(holder, base).replace(os.sep, "/")
    below = "" if below == "." else below
    return Site(
        repository, os.path.join(repository.top, below) if below else repository.top, below, directory
    )


def repository_id(site: Site) -> str:
    """``owner/name`` of the ``origin`` remote, else the directory's name, in the service's grammar."""
    found = _REMOTE.search(line(site.repository.top, "config", "--get", "remote.origin.url"))
    parts = [found[1], found[2]] if found else [_name(site.repository.main)]
    clean = [_UNSAFE.sub("-", part).lstrip("-._")[:99] for part in parts]
    return "/".join(part for part in clean if part) or "repository"


def _name(place: str) -> str:
    """A work tree's or bare repository's name; of a hidden one (``.bare``) that of the directory above."""
    above, name = os.path.split(place)
    return os.path.basename(above) if name.startswith(".") else name.removesuffix(".git")


def warnings(site: Site, paths: list[str]) -> list[str]:
    """What to know before tracked files are written: another branch than the default, a staged index."""
    top = site.repository.top
    found = []
    head = line(top, "symbolic-ref", "--quiet", "--short", "HEAD")
    default = line(top, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").partition("/")[2]
    if paths and head and default and head != default:
        found.append(f"tracked files are written on branch {head}, not on {default}")
    if paths and line(top, "diff", "--cached", "--name-only"):
        found.append("the index has staged changes; commit the wiring apart from them")
    if line(top, "ls-files", "--", os.path.join(site.directory, "local.env")):
        found.append("local.env is tracked by git: run `git rm --cached` on it and replace its token")
    return found
