"""Hook payloads of the tools, translated into one :class:`Event`. Pure; malformed payloads become no event.

Claude Code and Codex CLI send the same envelope (``hook_event_name``, ``tool_name``, ``tool_input``); Cursor
has its own event names and a ``conversation_id``.
"""

from __future__ import annotations

import os
from typing import Any, Literal, NamedTuple

from coordsite.kit.patches import apply_patch_paths, has_envelope

Tool = Literal["claude", "codex", "cursor"]
Moment = Literal["start", "before", "after", "pause", "end"]

TOOLS: tuple[Tool, ...] = ("claude", "codex", "cursor")
MAX_SESSION = 200

_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "PreToolUse": "before",
    "PostToolUse": "after",
    "PostToolUseFailure": "after",
    "UserPromptSubmit": "pause",
    "SubagentStop": "pause",
    "Stop": "pause",
    "SessionEnd": "end",
    "sessionStart": "start",
    "preToolUse": "before",
    "beforeShellExecution": "before",
    "afterFileEdit": "after",
    "afterShellExecution": "after",
    "postToolUse": "after",
    "stop": "pause",
    "subagentStop": "pause",
    "sessionEnd": "end",
}
_WRITERS = frozenset(
    {
        "Edit",
        "Write",
        "MultiEdit",
        "NotebookEdit",
        "StrReplace",
        "EditNotebook",
        "Delete",
        "edit_file",
        "write_file",
        "search_replace",
        "delete_file",
    }
)
_SHELLS = frozenset({"Bash", "Shell", "shell", "local_shell", "exec_command", "unified_exec", "PowerShell"})
_PATCHES = frozenset({"apply_patch", "ApplyPatch"})
_PATH_FIELDS = ("file_path", "notebook_path", "path", "target_file", "filePath", "target_notebook")


class Event(NamedTuple):
    """One thing that a tool reports: about to write, has written, session begins or ends.

    ``paths`` are absolute; ``command`` is a shell command to be parsed; ``call`` identifies the tool call;
    ``native`` is the tool's own name of the event and ``edit`` tells that an edit tool (not a shell) writes.
    """

    tool: Tool
    moment: Moment
    native: str
    session: str
    cwd: str
    call: str
    paths: tuple[str, ...]
    command: str

    @property
    def edit(self) -> bool:
        """Whether an edit tool reports, whose paths are exact."""
        return bool(self.paths) and not self.command


def event_of(tool: Tool, payload: object, cwd: str) -> Event | None:
    """The event in a payload; ``None`` for what no hook acts on. ``cwd`` stands in where it names none."""
    if not isinstance(payload, dict):
        return None
    native = _text(payload, "hook_event_name")
    moment = _MOMENTS.get(native)
    if moment is None:
        return None
    roots = payload.get("workspace_roots")
    root = next((item for item in roots if isinstance(item, str)), "") if isinstance(roots, list) else ""
    fields = payload.get("tool_input")
    fields = fields if isinstance(fields, dict) else {}
    here = _text(fields, "workdir") or _text(payload, "cwd") or root or cwd
    here = os.path.join(_text(payload, "cwd") or root or cwd, here)
    paths, command = _written(_text(payload, "tool_name"), native, payload, fields, here)
    session = _text(payload, "session_id") or _text(payload, "conversation_id")
    call = _text(payload, "tool_use_id") or _text(payload, "tool_call_id")
    return Event(tool, moment, native, session[:MAX_SESSION], here, call[:MAX_SESSION], paths, command)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) and "\0" not in value else ""


def _written(
    name: str, native: str, payload: dict[str, Any], fields: dict[str, Any], cwd: str
) -> tuple[tuple[str, ...], str]:
    """The paths and the shell command of a tool call."""
    if native == "afterFileEdit":
        return _absolute([_text(payload, "file_path")], cwd), ""
    if native in ("beforeShellExecution", "afterShellExecution"):
        return (), _command(payload)
    if name in _PATCHES:
        texts = [_command(fields), _text(fields, "patch"), _text(fields, "input")]
        return _absolute([path for text in texts for path in apply_patch_paths(text)], cwd), ""
    if name in _SHELLS:
        command = _command(fields)
        if isinstance(fields.get("command"), list) and has_envelope(command):
            return _absolute(apply_patch_paths(command), cwd), ""
        return (), command
    if name in _WRITERS:
        found = next((_text(fields, field) for field in _PATH_FIELDS if _text(fields, field)), "")
        return _absolute([found], cwd), ""
    return (), ""


def _command(fields: dict[str, Any]) -> str:
    """The command of a shell call: a text, or the argument list that Codex sends."""
    value = fields.get("command", fields.get("cmd"))
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        if len(value) >= 3 and value[1].startswith("-") and value[1].endswith("c"):
            return str(value[2])
        if value and value[0] in ("apply_patch", "applypatch"):
            return "\n".join(value[1:])
        import shlex

        return shlex.join(value)
    return ""


def _absolute(paths: list[str], cwd: str) -> tuple[str, ...]:
    unique = dict.fromkeys(os.path.normpath(os.path.join(cwd, path)) for path in paths if path)
    return tuple(unique)
