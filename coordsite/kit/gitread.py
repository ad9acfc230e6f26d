"""Questions to git, answered NUL-separated so that no file name can be misread. Reads only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


class GitFailed(Exception):
    """git answered with an error, or not in time."""


def git(
    cwd: str,
    *arguments: str,
    stdin: bytes | None = None,
    timeout: float = 10,
    environ: Mapping[str, str] | None = None,
) -> bytes:
    """The output of a git command; raises :class:`GitFailed`. Takes no locks and asks nothing."""
    import subprocess

    fixed = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    environ = {**os.environ, **(environ or {}), **fixed}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env=environ,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise GitFailed(f"git {arguments[0]}: {error}") from None
    if done.returncode:
        words = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise GitFailed(f"git {arguments[0]}: {words or f'exit {done.returncode}'}")
    return done.stdout


def line(cwd: str, *arguments: str) -> str:
    """One line of output, or ``""`` when git fails."""
    try:
        return git(cwd, *arguments).decode("utf-8", "surrogateescape").strip()
    except GitFailed:
        return ""


def names(output: bytes) -> list[str]:
    """A NUL-separated list of paths."""
    return [part.decode("utf-8", "surrogateescape") for part in output.split(b"\0") if part]


def ignored(top: str, relative: Iterable[str]) -> set[str]:
    """Those of the paths (from the top level) that git ignores."""
    given = [path for path in relative if path]
    if not given:
        return set()
    try:
        stdin = b"".join(os.fsencode(path) + b"\0" for path in given)
        return set(names(git(top, "check-ignore", "-z", "--stdin", stdin=stdin)))
    except GitFailed:
        return set()


def branch_of(git_dir: str) -> str:
    """The branch that is checked out, read from the file; ``""`` when detached."""
    try:
        with open(os.path.join(git_dir, "HEAD"), encoding="utf-8", errors="replace") as file:
            head = file.readline(1024).strip()
    except OSError:
        return ""
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""
