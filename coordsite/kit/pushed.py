"""Which files a push changes on the remote: from the refs that git hands to ``pre-push``."""

from __future__ import annotations

import os
from typing import NamedTuple

from coordsite.kit.gitread import EMPTY_TREE, GitFailed, git, line, names


class Update(NamedTuple):
    """One ref of a push, as git writes it on the hook's standard input."""

    local_ref: str
    local: str
    remote_ref: str
    remote: str

    @property
    def deletes(self) -> bool:
        """Whether the push deletes the remote ref, which changes no file."""
        return not self.local.strip("0")

    @property
    def creates(self) -> bool:
        """Whether the remote does not have the ref yet."""
        return not self.remote.strip("0")


def updates_of(text: str) -> list[Update]:
    """The ref updates on standard input; malformed lines raise ``ValueError``."""
    found = []
    for row in text.splitlines():
        fields = row.split()
        if fields and len(fields) != 4:
            raise ValueError(f"not a ref update: {row[:100]!r}")
        if fields:
            found.append(Update(*fields))
    return found


def current(cwd: str) -> list[Update]:
    """``HEAD`` as if it were pushed for the first time: for a hook run by hand or without its input.
    Nothing before the first commit.
    """
    name = line(cwd, "symbolic-ref", "--quiet", "HEAD")
    if name and not line(cwd, "rev-parse", "--verify", "--quiet", "HEAD"):
        return []
    head = git(cwd, "rev-parse", "HEAD").decode().strip()
    return [Update(name or "HEAD", head, name or "HEAD", "0" * len(head))]


def changed_paths(cwd: str, remote: str, update: Update, configured_base: str = "") -> list[str]:
    """The paths that differ between what the remote has and what is pushed.

    A fast-forward is compared with the remote's own commit. A new branch, or one whose history was
    rewritten, is compared with where it left the integration branch, so that files which came from there
    are not counted. Raises :class:`~coordsite.kit.gitread.GitFailed`.
    """
    if update.deletes:
        return []
    base = base_of(cwd, remote, update, configured_base)
    arguments = ("diff", "--no-relative", "--name-only", "-z", "--no-renames", base, update.local)
    return names(git(cwd, *arguments, timeout=60))


def base_of(cwd: str, remote: str, update: Update, configured_base: str = "") -> str:
    """The commit (or empty tree) that a pushed ref is compared with."""
    if not update.creates and _is_ancestor(cwd, update.remote, update.local):
        return update.remote
    for candidate in _integration(cwd, remote, update, configured_base):
        commit = line(cwd, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        base = line(cwd, "merge-base", update.local, commit) if commit else ""
        if base:
            return base
    return _empty_tree(cwd)


def _integration(cwd: str, remote: str, update: Update, configured_base: str) -> list[str]:
    """Refs that may be the integration branch, most telling first."""
    branch = update.local_ref.removeprefix("refs/heads/")
    found = [configured_base, line(cwd, "config", "--get", f"branch.{branch}.coordPushBase")]
    tracking = line(cwd, "rev-parse", "--symbolic-full-name", "--verify", "--quiet", f"{branch}@{{upstream}}")
    pushed = f"refs/remotes/{remote}/{update.remote_ref.removeprefix('refs/heads/')}"
    # After a rebase the branch's own remote copy is the old history, not what it is based on.
    if tracking and tracking != pushed:
        found.append(tracking)
    found += [f"refs/remotes/{remote}/HEAD"]
    default = line(cwd, "config", "--get", "init.defaultBranch")
    found += [f"refs/remotes/{remote}/{name}" for name in (default, "main", "master", "develop") if name]
    return [ref for ref in dict.fromkeys(found) if ref and ref != pushed]


def _is_ancestor(cwd: str, older: str, newer: str) -> bool:
    try:
        git(cwd, "merge-base", "--is-ancestor", older, newer)
    except GitFailed:
        return False
    return True


def _empty_tree(cwd: str) -> str:
    """The empty tree in the repository's own hash."""
    try:
        return git(cwd, "hash-object", "-t", "tree", "--stdin", stdin=b"").decode().strip()
    except GitFailed:
        return EMPTY_TREE


def toplevel() -> str:
    """The top level of the work tree that the git hook runs in."""
    return os.path.realpath(line(os.getcwd(), "rev-parse", "--show-toplevel") or os.getcwd())
