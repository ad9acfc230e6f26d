"""Codex CLI's hook: patches and shell calls in the shapes that Codex sends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.conftest import Clone, Fire
from tests.kit.service import FakeService

PATCH = """*** Begin Patch
*** Update File: src/a.py
@@
-x
+y
*** Add File: src/new.py
+x
*** Delete File: old.py
*** Update File: before.py
*** Move to: after.py
*** End Patch"""


def codex(clone: Clone, event: str = "PreToolUse", **fields: Any) -> dict[str, Any]:
    """A Codex payload."""
    return {
        "session_id": "codex-1",
        "transcript_path": None,
        "cwd": str(clone.path),
        "hook_event_name": event,
        "model": "gpt-5-codex",
        "turn_id": "turn-1",
        "permission_mode": "default",
        **fields,
    }


def call(clone: Clone, name: str, given: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return codex(clone, tool_name=name, tool_use_id="call_1", tool_input=given, **fields)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("apply_patch", {"command": PATCH}),
        ("apply_patch", {"command": ["apply_patch", PATCH]}),
        ("apply_patch", {"input": PATCH}),
        ("shell", {"command": ["apply_patch", PATCH]}),
        ("Bash", {"command": f"apply_patch <<'EOF'\n{PATCH}\nEOF"}),
        ("shell", {"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{PATCH}\nEOF"]}),
    ],
)
def test_it_claims_every_file_of_a_patch(
    clone: Clone, service: FakeService, fire: Fire, name: str, given: dict[str, Any]
) -> None:
    assert fire("codex", call(clone, name, given)).silent
    assert sorted(service.held("codex-1")) == ["after.py", "before.py", "old.py", "src/a.py", "src/new.py"]
    assert len(service.asked("POST", "/claims")) == 1


def test_it_blocks_the_whole_patch_when_one_file_is_held(
    clone: Clone, service: FakeService, fire: Fire
) -> None:
    service.hold("old.py", "bob", "bob-1")
    done = fire("codex", call(clone, "apply_patch", {"command": PATCH}))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("coord: old.py is held by bob for 42 more min.\nNext: ")
    assert service.held("codex-1") == []


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ({"command": ["bash", "-lc", "echo x > src/a.py"]}, ["src/a.py"]),
        ({"command": ["rm", "-rf", "a b.py"]}, ["a b.py"]),
        ({"cmd": "sed -i s/a/b/ a.py", "workdir": "src"}, ["src/a.py"]),
        ({"command": ["bash", "-lc", "rg x | head"]}, []),
        ({"command": 5}, []),
        ({"command": ["x", 5]}, []),
    ],
)
def test_it_claims_what_a_shell_call_writes(
    clone: Clone, service: FakeService, fire: Fire, given: dict[str, Any], held: list[str]
) -> None:
    assert fire("codex", call(clone, "shell", given)).silent
    assert service.held("codex-1") == held


def test_it_reconciles_after_a_shell_call(clone: Clone, service: FakeService, fire: Fire) -> None:
    given = {"command": ["bash", "-lc", "./generate"]}
    service.hold("made/b.py", "bob", "bob-1")
    assert fire("codex", call(clone, "shell", given)).silent
    clone.write("made/a.py")
    clone.write("made/b.py")
    done = fire("codex", call(clone, "shell", given, hook_event_name="PostToolUse", tool_response="ok"))
    assert done.code == 2
    assert "made/b.py is held by bob" in done.err
    assert service.held("codex-1") == ["made/a.py"]


def test_it_lives_from_start_to_stop(clone: Clone, service: FakeService, fire: Fire, virtual_time) -> None:
    service.hold("lib/**", "bob", "bob-1")
    done = fire("codex", codex(clone, "SessionStart", source="startup"))
    assert done.json["hookSpecificOutput"] == {
        "hookEventName": "SessionStart",
        "additionalContext": "coord: held by others in this repository: lib/** (bob).",
    }
    fire("codex", call(clone, "apply_patch", {"command": PATCH}))
    virtual_time.advance(61)
    assert fire("codex", codex(clone, "Stop", stop_hook_active=False)).silent
    assert len(service.asked("POST", "/sessions/codex-1/heartbeat")) == 1
    assert len(service.held("codex-1")) == 5, "a turn's end is not the session's end"
