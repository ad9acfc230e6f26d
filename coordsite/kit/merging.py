"""Putting coord's part into a user's file. Pure: text in, text out; everything of the user's is kept.

A file that cannot be understood is refused (:class:`Refused`) and stays as it is. Where nothing has to
change, the text comes back as it was, byte for byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from coordsite.bridge.environment import is_placeholder

_NOTICE = "Written by `coord init`; `coord upgrade` rewrites it. Do not edit."
_STYLES = {
    "markdown": ("<!-- coord:begin -->", "<!-- coord:end -->"),
    "hash": ("# coord:begin", "# coord:end"),
}
_BEGINS = re.compile(r"^[ \t]*(?:<!-- coord:begin -->|# coord:begin)[ \t]*\r?$", re.MULTILINE)
_BLOCK = re.compile(
    r"^[ \t]*(?:<!-- coord:begin -->|# coord:begin)[ \t]*\r?\n.*?"
    r"^[ \t]*(?:<!-- coord:end -->|# coord:end)[ \t]*(?:\r?\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_FRONT = re.compile(r"\A---[ \t]*\r?\n.*?^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE | re.DOTALL)


class Refused(Exception):
    """The file is not what it should be; it is left alone. The text says what is wrong."""


def block(body: str, style: str) -> str:
    """A managed block: markers of the style, a notice, the body."""
    begin, end = _STYLES[style]
    notice = f"<!-- {_NOTICE} -->" if style == "markdown" else f"# {_NOTICE}"
    return f"{begin}\n{notice}\n{body.strip()}\n{end}\n"


def merge_block(text: str | None, body: str, style: str = "markdown") -> str:
    """The text with the managed block in it: replaced where one stands, appended otherwise."""
    managed = block(body, style)
    if not text:
        return managed
    ending = "\r\n" if "\r\n" in text else "\n"
    managed = managed.replace("\n", ending)
    found = _found(text)
    if found:
        return text[: found.start()] + managed + text[found.end() :]
    gap = "" if text.endswith(("\n\n", "\r\n\r\n")) else ending if text.endswith("\n") else ending * 2
    return text + gap + managed


def merge_rule(text: str | None, body: str, front_matter: str) -> str:
    """A Cursor rule: the front-matter first (the user's own where there is one), the block below it."""
    text = text or ""
    found = _found(text)
    outside = text[: found.start()] + text[found.end() :] if found else text
    front = _FRONT.match(text) if not found or found.start() else None
    if front:
        return merge_block(text, body)
    own = _FRONT.match(outside.lstrip())
    head = own[0] if own else front_matter
    rest = outside.lstrip()[len(own[0]) :] if own else outside
    joined = f"{head}\n{rest.strip()}\n" if rest.strip() else head
    return merge_block(joined, body)


def without_block(text: str) -> str:
    """The text without its managed block."""
    found = _found(text)
    return text[: found.start()] + text[found.end() :] if found else text


def _found(text: str) -> re.Match[str] | None:
    begins = len(_BEGINS.findall(text))
    found = list(_BLOCK.finditer(text))
    if begins != len(found) or begins > 1:
        raise Refused("has a broken coord block: one begin marker and one end marker are expected")
    return found[0] if found else None


def merge_gitignore(text: str | None) -> str:
    """A ``.gitignore`` that ignores ``/.coordination/``; untouched where a line outside a block does."""
    if text and "/.coordination/" in (line.strip() for line in without_block(text).splitlines()):
        return text
    return merge_block(text, "/.coordination/", "hash")


def merge_json(text: str | None, change: Callable[[dict[str, Any]], None]) -> str:
    """A JSON file after ``change`` worked on its object; indentation, order and line endings are kept."""
    if text is None or not text.strip():
        data: dict[str, Any] = {}
        change(data)
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    data = _object(text)
    before = json.dumps(data)
    change(data)
    if json.dumps(data) == before:
        return text
    indented = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    result = json.dumps(data, indent=indented[1] if indented else 2, ensure_ascii=False)
    ending = "\r\n" if "\r\n" in text else "\n"
    return result.replace("\n", ending) + (ending if text.endswith("\n") else "")


def _object(text: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Refused("names one key twice in one object")
        return found

    try:
        data = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=unique)
    except ValueError as error:
        raise Refused(f"is not valid JSON ({error})") from None
    except RecursionError:
        raise Refused("is nested too deeply") from None
    if not isinstance(data, dict):
        raise Refused("does not hold a JSON object")
    return data


def _table(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.setdefault(name, {})
    if not isinstance(found, dict):
        raise Refused(f"has a `{name}` that is not an object")
    return found


def mcp_server(wanted: Mapping[str, Any]) -> Callable[[dict[str, Any]], None]:
    """The change that adds coord to ``mcpServers``. A command of the user's stays; real tokens go."""

    def change(data: dict[str, Any]) -> None:
        server = _table(_table(data, "mcpServers"), "coord")
        for name in ("command", "args"):
            server.setdefault(name, wanted[name])
        env = _table(server, "env")
        env.update(wanted["env"])

    return change


def tool_hooks(wanted: Mapping[str, Any], version: int | None = None) -> Callable[[dict[str, Any]], None]:
    """The change that sets coord's hooks in a tool's hook file; foreign hooks stay where they are."""

    def change(data: dict[str, Any]) -> None:
        if version is not None:
            data.setdefault("version", version)
        hooks = _table(data, "hooks")
        for event, entries in list(hooks.items()):
            if not isinstance(entries, list):
                raise Refused(f"has `hooks.{event}` that is not a list")
        for event in [*wanted, *(event for event in hooks if event not in wanted)]:
            entries = hooks.get(event, [])
            ours = list(wanted.get(event, []))
            kept, place = [], None
            for entry in entries:
                rest = _without_ours(entry)
                if rest is entry:
                    kept.append(entry)
                    continue
                place = len(kept) if place is None else place
                if rest is not None:
                    kept.append(rest)
            place = len(kept) if place is None else place
            merged = kept[:place] + ours + kept[place:]
            if merged:
                hooks[event] = merged
            elif event in hooks:
                del hooks[event]

    return change


def is_ours(command: object) -> bool:
    """Whether a hook's command is coord's."""
    return isinstance(command, str) and re.search(r"\bcoord-hook(?:\.exe)?\b", command) is not None


def _without_ours(entry: Any) -> Any:
    """The entry itself when it has nothing of coord's, what remains of it, or ``None``."""
    if not isinstance(entry, dict):
        return entry
    if is_ours(entry.get("command")):
        return None
    inner = entry.get("hooks")
    if not isinstance(inner, list) or not any(
        isinstance(h, dict) and is_ours(h.get("command")) for h in inner
    ):
        return entry
    rest = [hook for hook in inner if not (isinstance(hook, dict) and is_ours(hook.get("command")))]
    return {**entry, "hooks": rest} if rest else None


def hook_commands(data: Mapping[str, Any], event: str) -> list[tuple[str, str]]:
    """Coord's commands for an event, each with its matcher (``""`` matches everything)."""
    hooks = data.get("hooks")
    entries = hooks.get(event) if isinstance(hooks, dict) else None
    found = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        matcher = str(entry.get("matcher") or "")
        inner = entry.get("hooks")
        for hook in inner if isinstance(inner, list) else [entry]:
            if isinstance(hook, dict) and is_ours(hook.get("command")):
                found.append((matcher, str(hook["command"])))
    return found


def merge_toml(text: str | None, change: Callable[[tomlkit.TOMLDocument], None]) -> str:
    """A TOML file after ``change`` worked on it; comments and order are kept."""
    try:
        document = tomlkit.parse(text or "")
    except TOMLKitError as error:
        raise Refused(f"is not valid TOML ({error})") from None
    before = document.unwrap()
    try:
        change(document)
        result = tomlkit.dumps(document)
        after = tomlkit.parse(result).unwrap()
    except (TOMLKitError, TypeError, AttributeError, ValueError) as error:
        raise Refused(f"cannot be extended ({error})") from None
    if text is not None and after == before:
        return text
    return result.replace("\r\n", "\n").replace("\n", "\r\n") if text and "\r\n" in text else result


def codex_server(wanted: Mapping[str, Any]) -> Callable[[tomlkit.TOMLDocument], None]:
    """The change that adds coord to Codex's ``mcp_servers``, as :func:`mcp_server` does for JSON."""

    def change(document: tomlkit.TOMLDocument) -> None:
        servers = _toml_table(document, "mcp_servers", "mcp_servers", implicit=True)
        server = _toml_table(servers, "coord", "mcp_servers.coord")
        defaults = {**wanted, "enabled": True, "required": False, "tool_timeout_sec": 60}
        for name, value in defaults.items():
            if name != "env" and name not in server:
                server[name] = value
        env = _toml_table(server, "env", "mcp_servers.coord.env")
        for name, value in wanted["env"].items():
            if env.get(name) != value:
                env[name] = value

    return change


def _toml_table(parent: Any, name: str, full: str, *, implicit: bool = False) -> Any:
    if name not in parent:
        table: Table = tomlkit.table(is_super_table=implicit)
        parent[name] = table
    found = parent[name]
    if not isinstance(found, Mapping):
        raise Refused(f"has a `{full}` that is not a table")
    return found


def set_values(values: Mapping[str, Any], keep: frozenset[str]) -> Callable[[tomlkit.TOMLDocument], None]:
    """The change that sets top-level values; those of ``keep`` only where they are missing."""

    def change(document: tomlkit.TOMLDocument) -> None:
        for name, value in values.items():
            if name not in document or (name not in keep and document[name] != value):
                document[name] = value

    return change


def server_environment(text: str, toml: bool) -> object:
    """The environment of coord's MCP entry in a tool's file; ``None`` when there is no entry."""
    if toml:
        try:
            data: Any = tomlkit.parse(text).unwrap()
        except TOMLKitError as error:
            raise Refused(f"is not valid TOML ({error})") from None
    else:
        data = _object(text or "{}")
    servers = data.get("mcp_servers" if toml else "mcpServers")
    entry = servers.get("coord") if isinstance(servers, dict) else None
    return entry.get("env") if isinstance(entry, dict) else None


def real_token(env: object) -> bool:
    """Whether an MCP entry's environment holds a token that is no placeholder."""
    token = env.get("COORD_AUTH_TOKEN") if isinstance(env, Mapping) else None
    return isinstance(token, str) and not is_placeholder(token)
