"""Payloads as the tools' documentation shows them."""

from __future__ import annotations

from typing import Any

ROOT = "/home/alice/app"


def claude(event: str, **fields: Any) -> dict[str, Any]:
    return {
        "session_id": "claude-1",
        "transcript_path": "/home/alice/.claude/projects/app/1.jsonl",
        "cwd": ROOT,
        "permission_mode": "default",
        "hook_event_name": event,
        **fields,
    }


def edit(path: str, tool: str = "Edit", event: str = "PreToolUse", **fields: Any) -> dict[str, Any]:
    key = "notebook_path" if tool == "NotebookEdit" else "file_path"
    given = {key: f"{ROOT}/{path}", "old_string": "a", "new_string": "b"}
    return claude(event, tool_name=tool, tool_input=given, tool_use_id="toolu_1", **fields)


def bash(command: str, **fields: Any) -> dict[str, Any]:
    return claude("PreToolUse", tool_name="Bash", tool_input={"command": command}, **fields)


def codex(patch: str, **fields: Any) -> dict[str, Any]:
    return {
        "session_id": "codex-1",
        "turn_id": "t1",
        "cwd": ROOT,
        "hook_event_name": "PreToolUse",
        "model": "gpt-5",
        "tool_name": "apply_patch",
        "tool_input": {"command": patch},
        **fields,
    }


def cursor(event: str, **fields: Any) -> dict[str, Any]:
    return {
        "conversation_id": "cursor-1",
        "generation_id": "g1",
        "hook_event_name": event,
        "cursor_version": "2.0",
        "workspace_roots": [ROOT],
        "user_email": "alice@example.com",
        **fields,
    }
