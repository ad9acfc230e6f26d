"""``coord mcp install``: only the MCP entry of a tool, in the project or (Claude Desktop) in the home."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from typing import NamedTuple

from coordsite.bridge.environment import resolve
from coordsite.kit import merging
from coordsite.kit.changes import Change
from coordsite.kit.files import read_text
from coordsite.kit.rendering import Renderer, render


class Target(NamedTuple):
    """One tool's file: where it is, what tells that the tool is in use, whether it is the project's."""

    path: str
    signs: tuple[str, ...]
    program: str
    project: bool = True


def targets(root: str) -> dict[str, Target]:
    """The tools and their files, for a project at ``root``."""
    desktop = _desktop()
    return {
        "claude-code": Target(
            os.path.join(root, ".mcp.json"), (".mcp.json", ".claude", "CLAUDE.md"), "claude"
        ),
        "claude-desktop": Target(desktop, (os.path.dirname(desktop),), "", project=False),
        "codex": Target(os.path.join(root, ".codex", "config.toml"), (".codex",), "codex"),
        "cursor": Target(os.path.join(root, ".cursor", "mcp.json"), (".cursor",), "cursor"),
    }


TOOLS = ("claude-code", "claude-desktop", "codex", "cursor")


def _desktop() -> str:
    """Claude Desktop's file of this user."""
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    elif os.name == "nt":
        base = os.environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return os.path.join(base, "Claude", "claude_desktop_config.json")


def detected(root: str) -> list[str]:
    """The tools that are in use here: a file of theirs stands, or their program is installed."""
    return [
        name
        for name, target in targets(root).items()
        if any(os.path.exists(os.path.join(root, sign)) for sign in target.signs)
        or (target.program and shutil.which(target.program))
    ]


def plan(root: str, tools: list[str], renderer: Renderer = render) -> list[Change]:
    """The files of the tools with coord's entry in them. A malformed one is refused. Reads only."""
    known = targets(root)
    return [_change(root, name, known[name], renderer) for name in tools]


def _change(root: str, name: str, target: Target, renderer: Renderer) -> Change:
    server = json.loads(renderer("mcp-server.json"))
    if not target.project:
        # This file is no project's and is started from nowhere in particular: it needs the settings itself.
        server["env"] = _settings(root)
    merge: Callable[[str | None], str] = (
        (lambda text: merging.merge_toml(text, merging.codex_server(server)))
        if name == "codex"
        else (lambda text: merging.merge_json(text, merging.mcp_server(server)))
    )
    before: str | None = None
    try:
        before = read_text(target.path)
        mode = None if target.project else 0o600
        return Change(target.path, before, merge(before), mode=mode, secret=not target.project)
    except (merging.Refused, OSError, ValueError) as error:
        reason = str(error) if isinstance(error, merging.Refused) else f"cannot be read ({error})"
        return Change(target.path, before, before, refused=f"{reason}; mend it and run the command again")


def _settings(root: str) -> dict[str, str]:
    found = resolve(os.environ, root)
    values = {"COORD_API_URL": found.api_url, "COORD_AUTH_TOKEN": found.token, "COORD_REPO_ID": found.repo_id}
    return {name: value for name, value in values.items() if value}
