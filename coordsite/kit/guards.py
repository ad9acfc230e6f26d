"""git's hooks: ``pre-commit`` and ``pre-push`` let through only what nobody else holds.

A confirmed conflict always blocks. When there is no verdict (service away, token refused, git trouble), or
the claim that a file was changed under is over by now, the mode decides: ``advise`` (default) says so and
lets the commit or push pass, ``enforce`` blocks. git's own ``--no-verify`` bypasses both. A hook that stood
there before runs first (``COORD_CHAINED``).
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any, NamedTuple

from coordsite.kit import sessions
from coordsite.kit.areas import Area, proven_engineer
from coordsite.kit.claiming import Holder, Verdict, refusal
from coordsite.kit.gitread import GitFailed, git, line, names
from coordsite.kit.places import coordination_of, is_private, repository_of
from coordsite.kit.pushed import changed_paths, current, toplevel, updates_of
from coordsite.kit.service import clean
from coordsite.kit.verifying import Who, remembered, verify

MAX_STDIN = 8 * 1024 * 1024
MODES = ADVISE, ENFORCE = ("advise", "enforce")
_SUGGESTED = 20


class Outcome(NamedTuple):
    """What a guard found: the verdict on ``paths``, and the mode that decides where there is none."""

    verdict: Verdict = Verdict()
    paths: tuple[str, ...] = ()
    mode: str = ADVISE

    @property
    def blocks(self) -> bool:
        """Whether the commit or push must not happen."""
        doubtful = bool(self.verdict.fault or self.verdict.stale)
        return bool(self.verdict.held) or (doubtful and self.mode == ENFORCE)

    def as_json(self) -> dict[str, Any]:
        """The outcome for programs."""
        return {
            "ok": not self.blocks,
            "mode": self.mode,
            "paths": list(self.paths),
            "held": [holder._asdict() for holder in self.verdict.held],
            "stale": list(self.verdict.stale),
            "fault": self.verdict.fault,
        }


def run(name: str, arguments: list[str]) -> int:
    """Run the chained hook, then the guard, as git does. The exit code is git's: 0 lets pass."""
    silent = name == "pre-commit" or sys.stdin is None or sys.stdin.isatty()
    raw = b"" if silent else sys.stdin.buffer.read(MAX_STDIN)
    return _chained(name, arguments, raw) or told(name, look(name, arguments, raw))


def look(name: str, arguments: list[str], raw: bytes = b"") -> Outcome:
    """What the guard finds. ``raw`` is what git says of a push; empty: what ``HEAD`` would push."""
    mode = ADVISE
    try:
        area = _area()
        if area is None:
            return Outcome()
        mode = mode_of(area)
        verdict, paths = _verdict(name, arguments, raw, area)
    except (GitFailed, ValueError, OSError) as error:
        verdict, paths = Verdict(fault=str(error)), []
    return Outcome(verdict, tuple(paths), mode)


def told(name: str, outcome: Outcome) -> int:
    """Say on standard error what there is to say; the exit code."""
    verdict = outcome.verdict
    if verdict.held:
        sys.stderr.write(_explain(name, verdict.held, list(outcome.paths)))
    elif verdict.fault:
        _no_verdict(name, outcome.mode, verdict.fault)
    elif verdict.stale:
        _lost(name, outcome.mode, verdict.stale)
    return int(outcome.blocks)


def mode_of(area: Area) -> str:
    """``advise`` or ``enforce``: ``COORD_PREPUSH_MODE`` of the environment, else of ``local.env``."""
    return ENFORCE if area.local.value("COORD_PREPUSH_MODE").lower() == ENFORCE else ADVISE


def staged(top: str) -> list[str]:
    """The paths that the commit being made changes. While a merge is concluded, only those that differ from
    both sides: the rest is the other branch's work."""
    command = ("diff", "--cached", "--no-relative", "--name-only", "-z", "--no-renames")
    against_head = line(top, "rev-parse", "--verify", "--quiet", "HEAD")
    if not against_head:
        return names(git(top, "ls-files", "-z", "--cached"))
    found = names(git(top, *command, "HEAD"))
    if line(top, "rev-parse", "--verify", "--quiet", "MERGE_HEAD"):
        theirs = set(names(git(top, *command, "MERGE_HEAD")))
        found = [path for path in found if path in theirs]
    return found


def _chained(name: str, arguments: list[str], raw: bytes) -> int:
    """The exit code of the hook that stood there before coord's; 0 when there is none."""
    path = os.environ.pop("COORD_CHAINED", "")
    if os.environ.get("COORD_GUARD_TEST"):
        return 0  # a trial of the guard, not a commit or push
    if not path or not os.access(path, os.X_OK):
        return 0
    given = raw if name == "pre-push" else None
    try:
        return subprocess.run([path, *arguments], input=given, check=False).returncode
    except OSError as error:
        sys.stderr.write(f"coord: {path} cannot be run: {error}\n")
        return 1


def _area() -> Area | None:
    """The area of the work tree: at its top level, else where ``coord init --root`` put it."""
    top = toplevel()
    repository = repository_of(top)
    if repository is None:
        return None
    root = line(top, "config", "--get", "coord.root")
    directory = coordination_of(repository) or coordination_of(repository, os.path.join(top, root))
    return Area(repository, directory) if directory else None


def _verdict(name: str, arguments: list[str], raw: bytes, area: Area) -> tuple[Verdict, list[str]]:
    top = area.repository.top
    found = staged(top) if name == "pre-commit" else _pushed(top, arguments, raw, area)
    paths = [path for path in found if not is_private(area.repository, path)]
    return (_judge(area, paths) if paths else Verdict()), paths


def _pushed(top: str, arguments: list[str], raw: bytes, area: Area) -> list[str]:
    remote = arguments[0] if arguments else "origin"
    updates = updates_of(raw.decode("utf-8", "replace")) or current(top)
    base = area.local.value("COORD_PUSH_BASE_REF")
    found: dict[str, None] = {}
    for update in updates:
        found.update(dict.fromkeys(changed_paths(top, remote, update, base)))
    return list(found)


def _judge(area: Area, paths: list[str]) -> Verdict:
    """Whether others hold any of the paths. Own are: the live sessions of the agent (or of the clone), and,
    for a proven engineer, sessions of this clone that have ended and left their work here."""
    proven = proven_engineer(area.service())
    engineer = (
        proven or area.settings.identity or line(area.repository.top, "config", "user.name") or "unknown"
    )
    own = sessions.own(area.directory, os.environ.get("COORD_SESSION_ID", "").strip())
    verdict = verify(area, paths, Who(engineer, tuple(own)), remembered(area, own, paths))
    ended = sessions.ended(area.directory)
    if verdict.held and proven and ended and any(holder.engineer == proven for holder in verdict.held):
        taken = list(dict.fromkeys(holder.path for holder in verdict.held))
        again = verify(area, taken, Who(engineer, (*own, *ended)))
        return verdict if again.fault else verdict._replace(held=again.held)
    return verdict


def _explain(name: str, held: tuple[Holder, ...], paths: list[str]) -> str:
    taken = {holder.path for holder in held}
    free = [path for path in paths if path not in taken]
    if name == "pre-push":
        advice = "push again after the holder released, or leave these files out of the pushed commits."
        return refusal(held, advice, "pushed") + "\n"
    if not free:
        return refusal(held, "git reset -- " + shlex.join(sorted(taken)[:_SUGGESTED]), "committed") + "\n"
    if len(free) <= _SUGGESTED:
        advice = "git commit -- " + shlex.join(free)
    else:
        advice = "git reset -- " + shlex.join(sorted(taken)[:_SUGGESTED]) + " && git commit"
    return refusal(held, advice, "committed") + "\n"


def _lost(name: str, mode: str, stale: tuple[str, ...]) -> None:
    what = "commit" if name == "pre-commit" else "push"
    shown = ", ".join(clean(path, 120) for path in stale[:_SUGGESTED])
    more = f" and {len(stale) - _SUGGESTED} more" if len(stale) > _SUGGESTED else ""
    advice = "Next: claim these files again and read what others changed in them since."
    sys.stderr.write(f"coord: changed under a claim that is over: {shown}{more}.\n{advice}\n")
    if mode == ENFORCE:
        sys.stderr.write(f"coord: {what} blocked (COORD_PREPUSH_MODE=enforce).\n")


def _no_verdict(name: str, mode: str, fault: str) -> None:
    what = "commit" if name == "pre-commit" else "push"
    if mode == ENFORCE:
        text = f"coord: {what} blocked, for there is no verdict: {fault} (COORD_PREPUSH_MODE=enforce)."
        sys.stderr.write(f"{text}\nNext: run `coord doctor`; `--no-verify` bypasses the guard.\n")
        return
    sys.stderr.write(f"coord: this {what} is not checked: {fault}.\nNext: run `coord doctor`.\n")
