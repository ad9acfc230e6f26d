"""What ``coord init`` and ``coord upgrade`` lay into a repository: planned first, then written.

A plan reads only. Tracked files get placeholders, never a token; secrets go to ``.coordination/local.env``.
A second plan right after the first was applied changes nothing.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from coordsite.bridge.environment import is_placeholder, parse_env
from coordsite.kit import githooks, merging
from coordsite.kit.changes import Change
from coordsite.kit.environment import rewrite_env
from coordsite.kit.files import read_text
from coordsite.kit.payloads import Tool
from coordsite.kit.rendering import Renderer, render
from coordsite.kit.sites import Site

Mode = Literal["local", "remote"]
MAX_AREAS = 8
_SECRET = re.compile(r"""((?:TOKEN|SECRET)\w*["']?\s*[=:]\s*["']?)(?!set-me)([^"'\s]+)(["']?)""")
_HIDDEN = frozenset({"node_modules", "dist", "build"})


class Choices(NamedTuple):
    """What the user decided. ``force`` lets ``token``, when it is real, replace another real one."""

    tools: tuple[Tool, ...]
    mode: Mode
    service_url: str
    token: str
    repo_id: str
    hooks: bool = True
    owners: bool = True
    force: bool = False
    upgrade: bool = False
    ci: str = ""


class Wired(NamedTuple):
    """The files of one tool, relative to the site's root."""

    server: str
    hooks: str
    text: str


FILES: dict[Tool, Wired] = {
    "claude": Wired(".mcp.json", ".claude/settings.json", "CLAUDE.md"),
    "codex": Wired(".codex/config.toml", ".codex/hooks.json", "AGENTS.md"),
    "cursor": Wired(".cursor/mcp.json", ".cursor/hooks.json", ".cursor/rules/coordination.mdc"),
}


CI_FILES = {"github": ".github/workflows/coord.yml", "gitlab": ".gitlab/coord.yml"}


def plan(site: Site, choices: Choices, renderer: Renderer = render) -> list[Change]:
    """Every file that the choices touch, as it is and as it will be. Reads only."""
    found = [
        *([] if choices.upgrade else [_config(site, choices, renderer)]),
        _local_env(site, choices, renderer),
    ]
    if choices.owners and not choices.upgrade:
        found.append(_owners(site, choices, renderer))
    for tool in choices.tools:
        found += tool_changes(site, tool, renderer)
    if choices.hooks:
        found += githooks.plan(site, renderer)
    found.append(_merged(site, ".gitignore", merging.merge_gitignore))
    if choices.ci:
        found.append(_pipeline(site, CI_FILES[choices.ci], renderer(f"ci/{choices.ci}.yml"), choices.force))
    return found


def _pipeline(site: Site, name: str, wanted: str, force: bool) -> Change:
    """The CI pipeline's file, always at the work tree's top. One that was edited stays, unless forced."""
    path = os.path.join(site.repository.top, *name.split("/"))
    before = read_text(path)
    if before is not None and before != wanted and not force:
        return Change(
            path, before, before, refused="was edited; compare with `coord ci --template`, or --force"
        )
    return Change(path, before, wanted)


def tool_changes(site: Site, tool: Tool, renderer: Renderer = render) -> list[Change]:
    """The three files of one tool: MCP server, hooks, text for the agent."""
    files = FILES[tool]
    server = json.loads(renderer("mcp-server.json"))
    hooks = json.loads(renderer(f"{tool}-hooks.json"))
    body = renderer("agents.md")
    version = 1 if tool == "cursor" else None

    def add_server(text: str | None) -> str:
        if tool == "codex":
            return merging.merge_toml(text, merging.codex_server(server))
        return merging.merge_json(text, merging.mcp_server(server))

    def add_text(text: str | None) -> str:
        if tool == "cursor":
            return merging.merge_rule(text, body, renderer("cursor-front-matter.mdc"))
        return merging.merge_block(text, body)

    return [
        _merged(site, files.server, add_server),
        _merged(site, files.hooks, lambda text: merging.merge_json(text, merging.tool_hooks(hooks, version))),
        _merged(site, files.text, add_text),
    ]


def _merged(site: Site, name: str, merge: Callable[[str | None], str]) -> Change:
    path = os.path.join(site.root, *name.split("/"))
    before: str | None = None
    try:
        before = read_text(path)
        return Change(path, before, merge(before))
    except (merging.Refused, OSError, ValueError) as error:
        reason = str(error) if isinstance(error, merging.Refused) else f"cannot be read ({error})"
        return Change(path, before, before, refused=f"{reason}; mend it and run the command again")


def _config(site: Site, choices: Choices, renderer: Renderer) -> Change:
    values: dict[str, Any] = {
        "version": 1,
        "tool": choices.tools[0] if choices.tools else "",
        "tools": list(choices.tools),
        "mode": choices.mode,
        "service_url": choices.service_url,
        "ownership_file": ".coordination/owners.yaml",
        "local_env_file": ".coordination/local.env",
        "repo_id": choices.repo_id,
    }
    path = os.path.join(site.directory, "config.toml")
    before: str | None = None
    try:
        before = read_text(path)
        change = merging.set_values(values, frozenset({"ownership_file", "local_env_file"}))
        after = merging.merge_toml(before or renderer("config.toml"), change)
    except (merging.Refused, OSError, ValueError) as error:
        return Change(path, before, before, refused=f"{error}; mend it and run the command again")
    return Change(path, before, after)


def _local_env(site: Site, choices: Choices, renderer: Renderer) -> Change:
    """``local.env`` with its four names set. A real token or URL that stands there is kept."""
    path = os.path.join(site.directory, "local.env")
    try:
        before = read_text(path)
        known = parse_env(before or "", strict=False)
        old = known.get("COORD_AUTH_TOKEN", "")
        token = old if not is_placeholder(old) and not choices.force else choices.token or old or "set-me"
        if is_placeholder(token) and not is_placeholder(old):
            token = old
        wanted = {
            "COORD_API_URL": choices.service_url,
            "COORD_SERVICE_URL": choices.service_url,
            "COORD_AUTH_TOKEN": token,
            "COORD_REPO_ID": choices.repo_id,
        }
        if choices.upgrade:
            wanted = {name: value for name, value in wanted.items() if is_placeholder(known.get(name))}
            wanted = {name: value for name, value in wanted.items() if known.get(name) != value}
        after = rewrite_env(before if before is not None else renderer("local.env"), wanted)
    except (OSError, ValueError) as error:
        return Change(path, None, None, refused=f"cannot be rewritten ({error})", secret=True)
    return Change(path, before, after, mode=0o600, secret=True)


def _owners(site: Site, choices: Choices, renderer: Renderer) -> Change:
    path = os.path.join(site.directory, "owners.yaml")
    before = read_text(path)
    if before is not None and not choices.force:
        return Change(path, before, before)
    return Change(path, before, owners_document(site.root, renderer))


def owners_document(root: str, renderer: Renderer = render) -> str:
    """A first ownership document: one area per top-level directory, the shared root files hard."""
    import yaml

    names = sorted(
        entry.name
        for entry in os.scandir(root)
        if entry.is_dir(follow_symlinks=False)
        and not entry.name.startswith(".")
        and entry.name not in _HIDDEN
    )
    areas: dict[str, Any] = {
        name: {"paths": [f"{name}/**"], "owners": ["team"]} for name in (names[:MAX_AREAS] or ["src"])
    }
    areas["shared-root"] = {"paths": ["package.json", "README.md"], "owners": ["all"], "severity": "hard"}
    return renderer("owners.yaml") + yaml.safe_dump({"areas": areas}, sort_keys=False, allow_unicode=True)


def diff(change: Change, base: str) -> str:
    """A unified diff of one change, tokens masked."""
    name = os.path.relpath(change.path, base)
    sides = [_masked(text or "") if change.secret else text or "" for text in (change.before, change.after)]
    lines = difflib.unified_diff(
        sides[0].splitlines(keepends=True),
        sides[1].splitlines(keepends=True),
        "/dev/null" if change.before is None else f"a/{name}",
        f"b/{name}",
    )
    return "".join(
        text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n" for text in lines
    )


def _masked(text: str) -> str:
    return _SECRET.sub(lambda found: f"{found[1]}********{found[3]}", text)


def exposed_tokens(site: Site) -> list[str]:
    """The tracked tool files (relative names) that hold a real token."""
    found = []
    for files in FILES.values():
        try:
            text = read_text(os.path.join(site.root, files.server))
            data = merging.server_environment(text or "", files.server.endswith(".toml"))
        except (merging.Refused, OSError, ValueError):
            continue
        if merging.real_token(data):
            found.append(files.server)
    return found
