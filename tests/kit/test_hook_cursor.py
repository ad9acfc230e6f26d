"""Cursor's hook: its own event names, and an answer in JSON each time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.conftest import Clone, Fire
from tests.kit.service import FakeService


def cursor(clone: Clone, event: str, *, conversation: str = "conv-1", **fields: Any) -> dict[str, Any]:
    """A Cursor payload."""
    return {
        "conversation_id": conversation,
        "generation_id": "gen-1",
        "model": "auto",
        "hook_event_name": event,
        "cursor_version": "2.0.43",
        "workspace_roots": [str(clone.path)],
        "user_email": "alice@example.org",
        **fields,
    }


def write(clone: Clone, name: str, tool: str = "Write", **fields: Any) -> dict[str, Any]:
    given = {"file_path": str(clone.path / name)}
    return cursor(clone, "preToolUse", tool_name=tool, tool_input=given, tool_use_id="t1", **fields)


@pytest.mark.parametrize("tool", ["Write", "StrReplace", "Edit", "MultiEdit", "Delete"])
def test_it_claims_before_a_write_and_says_nothing(
    clone: Clone, service: FakeService, fire: Fire, tool: str
) -> None:
    done = fire("cursor", write(clone, "src/a.py", tool))
    assert (done.code, done.out, done.err) == (0, "{}\n", "")
    assert service.held("conv-1") == ["src/a.py"]


def test_it_denies_what_another_holds(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("src/a.py", "bob", "bob-1")
    done = fire("cursor", write(clone, "src/a.py"))
    assert done.code == 0
    assert set(done.json) == {"permission", "user_message", "agent_message"}
    assert done.json["permission"] == "deny"
    assert done.json["agent_message"].startswith("coord: src/a.py is held by bob for 42 more min.\nNext: ")


def test_it_tells_two_conversations_apart(clone: Clone, service: FakeService, fire: Fire) -> None:
    fire("cursor", write(clone, "a.py", conversation="conv-1"))
    assert fire("cursor", write(clone, "a.py", conversation="conv-2")).json["permission"] == "deny"


def test_it_parses_shell_commands(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("b.py", "bob", "bob-1")
    ask = cursor(clone, "beforeShellExecution", command="cd src && echo x > a.py", cwd=str(clone.path))
    assert fire("cursor", ask).json == {}
    assert service.held("conv-1") == ["src/a.py"]
    ask = cursor(clone, "beforeShellExecution", command="rm b.py", cwd="")
    assert fire("cursor", ask).json["permission"] == "deny"
    ask = cursor(clone, "beforeShellExecution", command="git status", cwd=str(clone.path))
    assert fire("cursor", ask).json == {}


def test_it_can_only_warn_after_an_edit(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("b.py", "bob", "bob-1")
    edited = {"edits": [{"old_string": "a", "new_string": "b"}]}
    ask = cursor(clone, "afterFileEdit", file_path=str(clone.path / "a.py"), **edited)
    assert fire("cursor", ask).json == {}
    assert service.held("conv-1") == ["a.py"]
    done = fire("cursor", cursor(clone, "afterFileEdit", file_path=str(clone.path / "b.py"), **edited))
    assert (done.code, done.json) == (0, {})
    assert "b.py is held by bob" in done.err
    assert "leave it out of your commit" in done.err


def test_it_releases_at_the_end_of_the_conversation(clone: Clone, service: FakeService, fire: Fire) -> None:
    fire("cursor", cursor(clone, "sessionStart", composer_mode="agent"))
    fire("cursor", write(clone, "a.py"))
    assert fire("cursor", cursor(clone, "stop", status="completed")).json == {}
    assert service.held() == ["a.py"]
    assert fire("cursor", cursor(clone, "sessionEnd", reason="user_close")).json == {}
    assert service.held() == []


def test_it_answers_an_event_that_it_does_not_know(clone: Clone, fire: Fire) -> None:
    assert fire("cursor", cursor(clone, "beforeReadFile", file_path="x")).json == {}
