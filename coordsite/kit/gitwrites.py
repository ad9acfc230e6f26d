"""The files that a git command or a patch is about to write, asked of git before the command runs."""

from __future__ import annotations

import os

from coordsite.kit.gitread import GitFailed, git, line, names
from coordsite.kit.patches import diff_paths
from coordsite.kit.shellwrites import GitAction, PatchAction

MAX_PATCH = 8 * 1024 * 1024


def patched(action: PatchAction) -> list[str]:
    """The absolute paths that a patch changes; none when its file cannot be read."""
    text = action.text
    if action.file:
        try:
            with open(action.file, encoding="utf-8", errors="surrogateescape") as file:
                text = file.read(MAX_PATCH)
        except OSError:
            return []
    return [os.path.normpath(os.path.join(action.cwd, path)) for path in diff_paths(text, action.strip)]


def changed(action: GitAction) -> list[str]:
    """The absolute paths whose content in the work tree the git command would change.

    Files that stand there already as the command would leave them are not named. Nothing when git cannot
    tell (no repository, unknown revision): then the command fails by itself.
    """
    top = line(action.cwd, "rev-parse", "--show-toplevel")
    if not top:
        return []
    handler = {
        "checkout": _checkout,
        "restore": _restore,
        "switch": _switch,
        "reset": _reset,
        "stash": _stash,
        "clean": _clean,
    }[action.action]
    try:
        return [os.path.join(top, name) for name in handler(action.cwd, list(action.args))]
    except GitFailed:
        return []


def _diff(cwd: str, *arguments: str) -> list[str]:
    return names(git(cwd, "diff", "--no-relative", "--name-only", "-z", "--no-renames", *arguments))


def _split(
    arguments: list[str], valued: frozenset[str] = frozenset()
) -> tuple[list[str], list[str], list[str]]:
    """Options, operands before ``--`` and operands after it."""
    options: list[str] = []
    before: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return options, before, list(rest)
        if argument in valued:
            options.append(f"{argument}={next(rest, '')}")
        elif argument.startswith("-") and argument != "-":
            options.append(argument)
        else:
            before.append(argument)
    return options, before, []


def _is_revision(cwd: str, text: str) -> bool:
    return bool(line(cwd, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}"))


def _checkout(cwd: str, arguments: list[str]) -> list[str]:
    options, before, after = _split(arguments, frozenset({"-b", "-B", "--orphan", "--conflict"}))
    created = any(option.startswith(("-b", "-B", "--orphan")) for option in options)
    if before and (after or len(before) > 1) and (after or _is_revision(cwd, before[0])) and not created:
        return _diff(cwd, before[0], "--", *(after or before[1:]))
    if after or (before and not created and not _is_revision(cwd, _revision(before[0]))):
        return _diff(cwd, "--", *(after or before))
    return _moved_to(cwd, before, "-f" in options or "--force" in options)


def _revision(text: str) -> str:
    return "@{-1}" if text == "-" else text


def _moved_to(cwd: str, target: list[str], force: bool) -> list[str]:
    found = _diff(cwd, "HEAD", _revision(target[0])) if target else []
    return found + (_diff(cwd, "HEAD") if force else [])


def _switch(cwd: str, arguments: list[str]) -> list[str]:
    options, before, _ = _split(arguments, frozenset({"-c", "-C", "--create", "--force-create", "--orphan"}))
    force = bool({"-f", "--force", "--discard-changes"} & set(options))
    return _moved_to(cwd, before, force)


def _restore(cwd: str, arguments: list[str]) -> list[str]:
    options, before, after = _split(arguments, frozenset({"-s", "--source"}))
    if {"--staged", "-S"} & set(options) and not {"--worktree", "-W"} & set(options):
        return []
    sources = [option.partition("=")[2] for option in options if option.startswith(("-s=", "--source="))]
    return _diff(cwd, *sources[:1], "--", *before, *after)


def _reset(cwd: str, arguments: list[str]) -> list[str]:
    options, before, _ = _split(arguments)
    if not {"--hard", "--merge", "--keep"} & set(options):
        return []
    return _diff(cwd, before[0] if before else "HEAD")


def _stash(cwd: str, arguments: list[str]) -> list[str]:
    action = next((word for word in arguments if not word.startswith("-")), "push")
    if action in ("pop", "apply", "branch"):
        named = next((word for word in arguments if word.startswith("stash@")), "stash@{0}")
        return _diff(cwd, f"{named}^1", named)
    if action not in ("push", "save"):
        return []
    _, _, paths = _split(arguments)
    return _diff(cwd, "HEAD", "--", *paths)


def _clean(cwd: str, arguments: list[str]) -> list[str]:
    options, before, after = _split(arguments, frozenset({"-e", "--exclude"}))
    if "-n" in options or "--dry-run" in options:
        return []
    top = line(cwd, "rev-parse", "--show-prefix")
    found = names(git(cwd, "ls-files", "-z", "--others", "--exclude-standard", "--", *before, *after))
    return [os.path.normpath(os.path.join(top, name)) for name in found]
