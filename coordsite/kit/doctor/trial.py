"""A trial of the hooks and guards: a claim of somebody else's on a file that does not exist, then each hook
is run as its tool runs it. What it does then is what protects this repository.

The claim lasts for the trial alone. Objects that git makes for it go to a temporary directory.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from coordsite.kit import githooks, merging
from coordsite.kit.areas import Area
from coordsite.kit.claiming import fault_of
from coordsite.kit.files import read_text
from coordsite.kit.gitread import GitFailed, git, ignored, line
from coordsite.kit.payloads import Tool
from coordsite.kit.service import Unreachable, segment
from coordsite.kit.sites import Site
from coordsite.kit.wiring import FILES

Result = Literal["blocks", "passes", "missing", "broken"]
_TIMEOUT = 40
_ZERO = "0" * 40


class Tried(NamedTuple):
    """What one hook did: ``blocks`` the held file, ``passes`` it, is ``missing`` or ``broken``."""

    name: str
    result: Result
    detail: str = ""


class Shot(NamedTuple):
    """One event to fire: where it is configured, which tool's call it is, and its payload."""

    name: str
    event: str
    tool: str
    payload: dict[str, Any]


class Bait:
    """A path that another session holds, or would if the service let it (``fault`` tells why not)."""

    def __init__(self, site: Site, area: Area) -> None:
        mark = secrets.token_hex(4)
        self.site = site
        self.path = os.path.join(site.root, f"coord-doctor-{mark}")
        self.relative = site.repository.relative(self.path)
        self.session = f"doctor-{mark}"
        self.holder = f"{self.session}-holder"
        self.fault = ""
        self._area = area

    def lay(self) -> None:
        """Claim the path for the other session."""
        body = {
            "engineer": "coord-doctor",
            "claims": [{"type": "file", "pattern": self.relative}],
            "description": "a trial by coord doctor",
            "repo": self._area.repo or None,
            "session_id": self.holder,
            "ttl_hours": 0.1,
        }
        service = self._area.service(10)
        service.session = self.holder
        try:
            answer = service.call("POST", "/claims", body)
            if answer.status in (403, 422) or (answer.status == 400 and "engineer" in answer.text):
                answer = service.call("POST", "/claims", {**body, "engineer": self._area.engineer})
        except Unreachable as error:
            self.fault = str(error)
            return
        self.fault = "" if answer.status == 200 else fault_of(answer)

    def lift(self) -> None:
        """Release the claim, and what a hook that does not block may have claimed."""
        for session in (self.holder, self.session):
            try:
                self._area.service(10).call("POST", f"/sessions/{segment(session)}/release", {})
            except Unreachable:
                return

    def environ(self, state: str, **more: str) -> dict[str, str]:
        """The environment of a trial: no session of the caller's, a memory of its own."""
        given = {name: value for name, value in os.environ.items() if name != "COORD_SESSION_ID"}
        return {**given, "COORD_HOOK_STATE": state, "COORD_GUARD_TEST": "1", **more}


@contextmanager
def baited(site: Site, area: Area) -> Iterator[Bait]:
    """A bait that is lifted at the end, whatever happens."""
    bait = Bait(site, area)
    bait.lay()
    try:
        yield bait
    finally:
        bait.lift()


def shots(tool: Tool, bait: Bait) -> list[Shot]:
    """The events before a write that a tool sends: of its edit tool and of its shell."""
    command = f"echo x > {shlex.quote(bait.path)}"
    cwd = bait.site.root
    if tool == "cursor":
        envelope = {"conversation_id": bait.session, "workspace_roots": [cwd]}
        write = {
            "hook_event_name": "preToolUse",
            "tool_name": "Write",
            "tool_input": {"file_path": bait.path},
        }
        shell = {"hook_event_name": "beforeShellExecution", "command": command, "cwd": cwd}
        return [
            Shot("edit", "preToolUse", "Write", {**envelope, **write}),
            Shot("shell", "beforeShellExecution", "", {**envelope, **shell}),
        ]
    envelope = {"session_id": bait.session, "cwd": cwd, "hook_event_name": "PreToolUse"}
    patch = f"*** Begin Patch\n*** Add File: {bait.path}\n+x\n*** End Patch"
    edit = ("apply_patch", {"command": patch}) if tool == "codex" else ("Edit", {"file_path": bait.path})
    calls = [("edit", *edit), ("shell", "Bash", {"command": command})]
    return [
        Shot(
            name,
            "PreToolUse",
            used,
            {**envelope, "tool_name": used, "tool_input": given, "tool_use_id": name},
        )
        for name, used, given in calls
    ]


def fire_tool(tool: Tool, bait: Bait) -> list[Tried]:
    """Fire each event through the hook that the tool's own file names for it."""
    path = os.path.join(bait.site.root, *FILES[tool].hooks.split("/"))
    try:
        data = json.loads(read_text(path) or "{}")
    except (OSError, ValueError) as error:
        return [Tried("edit", "broken", f"{FILES[tool].hooks} cannot be read ({error})")]
    if switched_off(tool, bait.site, data):
        return [Tried("edit", "missing", "hooks are switched off in the tool's settings")]
    hidden = bool(ignored(bait.site.repository.top, [bait.relative]))
    with tempfile.TemporaryDirectory(prefix="coord-doctor-") as state:
        return [
            _fire(tool, shot, data, bait, state)
            for shot in shots(tool, bait)
            if shot.name == "edit" or not hidden  # what git ignores may be written by a shell command
        ]


def switched_off(tool: Tool, site: Site, data: Mapping[str, Any]) -> bool:
    """Whether the tool's settings switch every hook off."""
    if tool == "claude":
        local = os.path.join(site.root, ".claude", "settings.local.json")
        try:
            more = json.loads(read_text(local) or "{}")
        except (OSError, ValueError):
            more = {}
        return any(isinstance(one, dict) and one.get("disableAllHooks") is True for one in (data, more))
    if tool == "codex":
        try:
            text = read_text(os.path.join(site.root, ".codex", "config.toml")) or ""
        except (OSError, ValueError):
            return False
        return re.search(r"^\s*(?:features\.)?(?:codex_)?hooks\s*=\s*false", text, re.MULTILINE) is not None
    return False


def _fire(tool: Tool, shot: Shot, data: Mapping[str, Any], bait: Bait, state: str) -> Tried:
    for matcher, command in merging.hook_commands(data, shot.event):
        if shot.tool and not _matches(matcher, shot.tool):
            continue
        code, out, err = _run(
            ["sh", "-c", command], json.dumps(shot.payload), bait.environ(state), bait.site.root
        )
        said = " ".join(f"{err} {out}".split())[:200]
        if code == 127:
            return Tried(shot.name, "broken", f"`{command}` cannot be run: {said}")
        denied = tool == "cursor" and '"permission": "deny"' in out
        if code == 2 or denied:
            return Tried(shot.name, "blocks", said)
        return Tried(shot.name, "passes" if code == 0 else "broken", said)
    return Tried(shot.name, "missing", f"no hook of coord's for {shot.event}")


def _matches(matcher: str, tool: str) -> bool:
    if matcher in ("", "*"):
        return True
    try:
        return re.fullmatch(matcher, tool) is not None
    except re.error:
        return False


def _run(command: list[str], text: str, environ: dict[str, str], cwd: str) -> tuple[int, str, str]:
    try:
        done = subprocess.run(
            command,
            input=text.encode(),
            env=environ,
            cwd=cwd,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return 127, "", str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def fire_guard(name: str, bait: Bait) -> Tried:
    """Run git's hook over a commit of the bait that nobody keeps."""
    site = bait.site
    if githooks.standing(site, name) in ("missing", "foreign"):
        return Tried(name, "missing")
    hook = os.path.join(site.hooks, name)
    if githooks.standing(site, name) == "project":
        hook = os.path.join(site.directory, "hooks", name)  # the project's own steps are not for a trial
    try:
        with tempfile.TemporaryDirectory(prefix="coord-doctor-") as folder:
            environ, commit = _committed(bait, folder)
            environ = bait.environ(folder, COORD_SESSION_ID=bait.session, **environ)
            refs = "" if name == "pre-commit" else f"refs/heads/trial {commit} refs/heads/trial {_ZERO}\n"
            arguments = [] if name == "pre-commit" else ["origin", "trial"]
            code, out, err = _run([hook, *arguments], refs, environ, site.repository.top)
    except (GitFailed, OSError) as error:
        return Tried(name, "broken", str(error))
    said = " ".join(f"{err} {out}".split())[:200]
    if code == 1:
        return Tried(name, "blocks", said)
    return Tried(name, "passes" if code == 0 else "broken", said)


def _committed(bait: Bait, folder: str) -> tuple[dict[str, str], str]:
    """An index with the bait in it, and a commit of it on top of ``HEAD``; both are gone with the folder."""
    top = bait.site.repository.top
    objects = os.path.join(folder, "objects")
    os.mkdir(objects)
    environ = {
        "GIT_INDEX_FILE": os.path.join(folder, "index"),
        "GIT_OBJECT_DIRECTORY": objects,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.path.join(bait.site.repository.common, "objects"),
    }
    who = {f"GIT_{role}_{what}": "coord" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def ask(*arguments: str, stdin: bytes | None = None) -> str:
        return git(top, *arguments, stdin=stdin, environ={**environ, **who}).decode().strip()

    head = line(top, "rev-parse", "--verify", "--quiet", "HEAD")
    if head:
        ask("read-tree", head)
    blob = ask("hash-object", "-w", "--stdin", stdin=b"trial\n")
    ask("update-index", "--add", "--cacheinfo", f"100644,{blob},{bait.relative}")
    parent = ["-p", head] if head else []
    return environ, ask("commit-tree", *parent, "-m", "trial", ask("write-tree"))
