"""The files in the repository: there, understood, up to date, private."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tomllib

from coordsite.bridge.environment import InvalidEnv, parse_env
from coordsite.kit import githooks, sessions
from coordsite.kit.areas import POLICIES, Area
from coordsite.kit.changes import Change
from coordsite.kit.doctor.checks import Check, fail, ok, warn
from coordsite.kit.files import read_text
from coordsite.kit.gitread import line
from coordsite.kit.guards import MODES
from coordsite.kit.initialising import tools_of
from coordsite.kit.payloads import TOOLS, Tool
from coordsite.kit.sites import Site
from coordsite.kit.wiring import FILES, exposed_tokens, tool_changes

MENDABLE = "coord upgrade"


def configuration(site: Site) -> Check:
    """``config.toml`` and ``local.env`` are there and can be read."""
    path = os.path.join(site.directory, "config.toml")
    try:
        with open(path, "rb") as file:
            tomllib.load(file)
    except FileNotFoundError:
        return fail("initialized", "this repository is not initialised", "coord init")
    except (OSError, ValueError) as error:
        return fail(
            "initialized", f"{path} cannot be read ({error})", f'"${{EDITOR:-vi}}" {shlex.quote(path)}'
        )
    return ok("initialized", f"initialised; machine-local files are in {site.directory}")


def local_env(site: Site) -> list[Check]:
    """``local.env`` is well-formed, private and not tracked."""
    path = os.path.join(site.directory, "local.env")
    quoted = shlex.quote(path)
    try:
        text = read_text(path)
        if text is None:
            return [fail("local_env", "local.env is missing", MENDABLE, "upgrade")]
        parse_env(text)
        mode = os.stat(path).st_mode & 0o777
    except InvalidEnv as error:
        return [warn("local_env", f"local.env: {error}; that line is skipped", f'"${{EDITOR:-vi}}" {quoted}')]
    except (OSError, ValueError) as error:
        return [fail("local_env", f"local.env cannot be read ({error})", f"chmod 600 {quoted}")]
    found = [ok("local_env", "local.env is well-formed")]
    if os.name != "nt" and mode & 0o077:
        found = [
            warn("local_env", f"others may read local.env (mode {mode:o})", f"chmod 600 {quoted}", "mode")
        ]
    if line(site.repository.top, "ls-files", "--", path):
        found.append(
            fail("local_env_tracked", "local.env is tracked by git", f"git rm --cached {quoted}"),
        )
    return found


def policies(site: Site) -> list[Check]:
    """What happens without a verdict is spelled right: a word that is unknown is the mildest policy."""
    found = []
    area = Area(site.repository, site.directory)
    chosen, mode = area.option("on_unreachable"), area.local.value("COORD_PREPUSH_MODE")
    if chosen not in (None, *POLICIES):
        path = shlex.quote(os.path.join(site.directory, "config.toml"))
        text = f"on_unreachable = {chosen!r} counts as {POLICIES[0]!r}; choose from {', '.join(POLICIES)}"
        found.append(warn("on_unreachable", text, f'"${{EDITOR:-vi}}" {path}'))
    if mode and mode.lower() not in MODES:
        path = shlex.quote(os.path.join(site.directory, "local.env"))
        text = f"COORD_PREPUSH_MODE={mode} counts as {MODES[0]}; choose from {', '.join(MODES)}"
        found.append(warn("prepush_mode", text, f'"${{EDITOR:-vi}}" {path}'))
    return found


def ownership(site: Site) -> Check:
    """``owners.yaml``, where there is one, is a document that the service would take."""
    from ownership.documents import InvalidDocument, parse

    path = os.path.join(site.directory, "owners.yaml")
    try:
        text = read_text(path)
        if text is None:
            return ok("ownership", "no owners.yaml (it is optional)")
        parse(text)
    except (OSError, ValueError, InvalidDocument) as error:
        return fail("ownership", f"owners.yaml: {error}", f'"${{EDITOR:-vi}}" {shlex.quote(path)}')
    return ok("ownership", "owners.yaml parses")


def wired_tools(site: Site) -> tuple[Tool, ...]:
    """The tools that the configuration names or whose files stand."""
    try:
        with open(os.path.join(site.directory, "config.toml"), "rb") as file:
            named = tools_of(tomllib.load(file))
    except (OSError, ValueError):
        named = ()
    standing = [tool for tool in TOOLS if os.path.exists(os.path.join(site.root, FILES[tool].hooks))]
    return tuple(tool for tool in TOOLS if tool in named or tool in standing)


def tools(site: Site) -> list[Check]:
    """For each wired tool: its MCP entry, its hooks and the agents' text."""
    found = []
    exposed = exposed_tokens(site)
    for tool in wired_tools(site):
        parts = zip(("mcp", "hooks", "text"), tool_changes(site, tool), strict=True)
        found += [_file(site, f"{tool}_{part}", change, required=part != "text") for part, change in parts]
        server = FILES[tool].server
        if server in exposed:
            found.append(
                fail(
                    f"{tool}_token",
                    f"{server} holds a real token; replace that token too",
                    MENDABLE,
                    "upgrade",
                )
            )
    return found or [warn("tools", "no tool is wired", "coord init --tool claude --yes")]


def _file(site: Site, name: str, change: Change, *, required: bool) -> Check:
    shown = os.path.relpath(change.path, site.repository.top)
    if change.kind == "unchanged":
        return ok(name, f"{shown} is up to date")
    if change.kind == "refused":
        return fail(name, f"{shown} {change.refused}", f'"${{EDITOR:-vi}}" {shlex.quote(change.path)}')
    word = "is missing" if change.kind == "created" else "is out of date"
    level = fail if required and change.kind == "created" else warn
    return level(name, f"{shown} {word}", MENDABLE, "upgrade")


def git_hooks(site: Site) -> list[Check]:
    """The guards stand where git looks, and are this version's."""
    found = []
    for name in githooks.NAMES:
        state = githooks.standing(site, name)
        where = os.path.relpath(os.path.join(site.hooks, name), site.repository.top)
        if state in ("installed", "project"):
            found.append(ok(name, f"{where} runs the guard"))
        elif state == "foreign" and site.hooks_are_tracked:
            path = os.path.join(site.hooks, name)
            shown = os.path.relpath(githooks.project_script(path), site.repository.top)
            text = f"{shown} belongs to the project and does not call coord, or cannot be executed"
            found.append(warn(name, text, githooks.command_for(path, name, shown)))
        else:
            text = {"outdated": "is out of date", "missing": "is missing", "foreign": "is another hook"}[
                state
            ]
            found.append(warn(name, f"{where} {text}", "coord guard install", "upgrade"))
    return found


def programs() -> list[Check]:
    """``coord-mcp`` and ``coord-hook`` are where tools and git look for programs, and git is there."""
    found = []
    for name in ("coord-mcp", "coord-hook"):
        place = shutil.which(name)
        if place:
            found.append(ok(name.replace("-", "_"), f"{name} is {place}"))
            continue
        beside = os.path.join(os.path.dirname(sys.executable), name)
        mend = (
            f'export PATH="{os.path.dirname(beside)}:$PATH"'
            if os.path.exists(beside)
            else "pip install coord"
        )
        found.append(fail(name.replace("-", "_"), f"{name} is not on PATH", mend))
    if not shutil.which("git"):
        found.append(
            fail("git", "git is not on PATH: nothing is checked at commits and pushes", "command -v git")
        )
    return found


def live_sessions(site: Site) -> Check | None:
    """``sessions.live`` names living processes only; ``None`` when it is empty."""
    lines = sessions.read(site.directory)
    broken = sessions.unreadable(site.directory)
    if not lines and not broken:
        return None
    living = sum(one.alive for one in lines)
    text = f"sessions.live entries are live ({living}/{len(lines) + len(broken)})"
    if living == len(lines) and not broken:
        return ok("sessions", text)
    return warn("sessions", text, "coord doctor --fix", "sessions")


def worktree(site: Site) -> Check:
    """A linked work tree shares the main one's machine-local files and hooks."""
    repository = site.repository
    if repository.git_dir == repository.common:
        return ok("worktree", f"main work tree {repository.top}")
    own, shared = (
        os.path.join(base, site.below, ".coordination") for base in (repository.top, repository.main)
    )
    if os.path.isdir(own) and os.path.isdir(shared):
        text = f"{own} shadows the main work tree's; remove it so that both share one session list"
        return fail("worktree", text, f"rm -r {shlex.quote(own)}")
    return ok("worktree", f"linked work tree of {repository.main}; shares its machine-local files")
