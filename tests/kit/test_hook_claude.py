"""Claude Code's hook: claims before a write, blocks what others hold, silent otherwise."""

from __future__ import annotations

import os
from typing import Any, cast

import pytest

from coordsite.kit import enforcing
from coordsite.kit.claiming import Holder, Verdict
from tests.kit.agent import Agent
from tests.kit.conftest import Clone, Fire, claude, edit, shell
from tests.kit.service import FakeService


@pytest.mark.parametrize("tool", ["Edit", "Write", "MultiEdit", "NotebookEdit"])
def test_it_claims_the_file_for_the_session(
    clone: Clone, service: FakeService, fire: Fire, tool: str
) -> None:
    assert fire("claude", edit(clone, "src/a.py", tool)).silent
    asked = service.asked("POST", "/claims")[0]
    assert asked["claims"] == [{"type": "file", "pattern": "src/a.py"}]
    assert (asked["session_id"], asked["repo"], asked["branch"]) == ("alice-1", "acme/app", "main")
    assert asked["engineer"] == "Alice Example"
    headers = next(headers for method, path, _, headers in service.requests if path == "/claims")
    assert headers["x-coord-session"] == "alice-1"
    assert len(headers["idempotency-key"]) == 40
    assert headers["authorization"] == "Bearer token-shared"


def test_it_asks_again_without_a_second_claim(clone: Clone, service: FakeService, fire: Fire) -> None:
    fire("claude", edit(clone, "a.py", call="toolu_1"))
    fire("claude", edit(clone, "a.py", call="toolu_2"))
    assert service.held() == ["a.py"]


def test_it_keeps_the_retry_keys_of_two_calls_apart(clone: Clone, service: FakeService, fire: Fire) -> None:
    for name, session in (("a.py", "alice-1"), ("b.py", "alice-1"), ("a.py", "alice-1"), ("c.py", "alice-2")):
        assert fire("claude", edit(clone, name, session=session, call="toolu_1")).silent
    keys = [
        headers.get("idempotency-key") for verb, path, _, headers in service.requests if path == "/claims"
    ]
    assert (len(keys), len(set(keys))) == (4, 3), "only the very same call shares its key"


def test_it_blocks_a_file_that_another_session_holds(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("src/**", "bob", "bob-1", description="login\nrework\x1b[31m")
    outcome = fire("claude", edit(clone, "src/a.py"))
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.splitlines()[0] == (
        "coord: src/a.py is held by bob through src/** for 42 more min (login rework [31m)."
    )
    assert outcome.err.splitlines()[1].startswith("Next: Ask for it: request_release(claim_id=")
    assert len(outcome.err) < 400
    assert service.held("alice-1") == []


def test_it_blocks_another_session_of_the_same_person(clone: Clone, service: FakeService, fire: Fire) -> None:
    fire("claude", edit(clone, "a.py", session="alice-1"))
    assert fire("claude", edit(clone, "a.py", session="alice-2", call="toolu_2")).code == 2


def test_it_lets_sub_agents_share_the_session(clone: Clone, service: FakeService, fire: Fire) -> None:
    fire("claude", edit(clone, "a.py"))
    assert fire("claude", edit(clone, "a.py", call="toolu_2", agent_id="sub-1")).silent
    assert fire("claude", claude(clone, "SubagentStop", stop_hook_active=False)).silent
    assert service.held("alice-1") == ["a.py"]


def test_it_names_the_engineer_that_the_token_proves(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.tokens["coordt_carol"] = "carol"
    clone.initialise(service.url, "coordt_carol")
    fire("claude", edit(clone, "a.py"))
    fire("claude", edit(clone, "b.py", call="toolu_2"))
    assert [body["engineer"] for body in service.asked("POST", "/claims")] == ["carol", "carol"]
    assert len(service.asked("GET", "/whoami")) == 1


def test_it_finds_the_repository_from_the_path_not_from_the_directory(
    clone: Clone, service: FakeService, fire: Fire, tmp_path: object
) -> None:
    payload = edit(clone, "src/a.py")
    payload["cwd"] = str(tmp_path)
    assert fire("claude", payload).silent
    assert service.held() == ["src/a.py"]


def test_it_leaves_files_outside_of_repositories_alone(
    clone: Clone, service: FakeService, fire: Fire, tmp_path: object
) -> None:
    for name in ("../elsewhere.txt", ".coordination/owners.yaml", ".git/config"):
        assert fire("claude", edit(clone, name)).silent
    assert service.requests == []


def test_it_resolves_links_and_detours(clone: Clone, service: FakeService, fire: Fire) -> None:
    clone.write("src/a.py")
    os.symlink(clone.path / "src", clone.path / "link")
    fire("claude", edit(clone, "link/../src/./a.py", call="1"))
    fire("claude", edit(clone, "link/a.py", call="2"))
    assert service.held() == ["src/a.py"]


def test_it_claims_in_linked_worktrees(clone: Clone, service: FakeService, fire: Fire) -> None:
    clone.git("worktree", "add", "-q", "../feature", "-b", "feature")
    feature = Clone(clone.path.parent / "feature")
    assert fire("claude", edit(feature, "src/a.py")).silent
    asked = service.asked("POST", "/claims")[0]
    assert (asked["claims"][0]["pattern"], asked["branch"]) == ("src/a.py", "feature")
    assert fire("claude", edit(clone, "src/a.py", session="bob-1", call="2")).code == 2


def test_it_leaves_nested_repositories_alone(clone: Clone, service: FakeService, fire: Fire) -> None:
    clone.git("init", "-q", "vendor/other")
    assert fire("claude", edit(clone, "vendor/other/a.py")).silent
    assert service.requests == []


@pytest.mark.parametrize(
    ("command", "held"),
    [
        ("echo x > src/a.py", ["src/a.py"]),
        ("cd src && sed -i s/a/b/ a.py && rm b.py", ["src/a.py", "src/b.py"]),
        ("git mv README.md docs.md", ["README.md", "docs.md"]),
        ("echo x > build.log", []),
        ("cat README.md | head", []),
        ("rm *.md", ["README.md"]),
    ],
)
def test_it_claims_what_a_command_writes(
    clone: Clone, service: FakeService, fire: Fire, command: str, held: list[str]
) -> None:
    assert fire("claude", shell(clone, command)).silent
    assert service.held() == held


def test_it_blocks_a_command_as_a_whole(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("b.py", "bob", "bob-1")
    outcome = fire("claude", shell(clone, "touch a.py b.py"))
    assert outcome.code == 2
    assert "b.py is held by bob for 42 more min" in outcome.err
    assert service.held("alice-1") == []


def test_it_claims_what_git_would_overwrite(clone: Clone, service: FakeService, fire: Fire) -> None:
    clone.commit("a.py", "one\n")
    clone.commit("b.py", "one\n")
    clone.write("a.py", "two\n")
    assert fire("claude", shell(clone, "git checkout -- .")).silent
    assert service.held() == ["a.py"]
    service.claims.clear()
    assert fire("claude", shell(clone, "git reset --hard HEAD~1", call="2")).silent
    assert sorted(service.held()) == ["a.py", "b.py"]


def test_it_blocks_a_branch_switch_over_a_file_in_use(clone: Clone, service: FakeService, fire: Fire) -> None:
    clone.git("checkout", "-qb", "feature")
    clone.commit("a.py", "feature\n")
    clone.git("checkout", "-q", "main")
    service.hold("a.py", "bob", "bob-1")
    assert fire("claude", shell(clone, "git checkout feature")).code == 2
    assert fire("claude", shell(clone, "git switch -c other", call="2")).silent


def test_it_claims_what_a_patch_changes(clone: Clone, service: FakeService, fire: Fire) -> None:
    clone.commit("a.py", "one\n")
    clone.write("a.py", "two\n")
    (clone.path.parent / "fix.diff").write_text(clone.git("diff").stdout)
    clone.git("checkout", "-q", "--", ".")
    assert fire("claude", shell(clone, "git apply ../fix.diff")).silent
    assert service.held() == ["a.py"]


def test_it_claims_after_a_command_what_its_text_did_not_tell(
    clone: Clone, service: FakeService, fire: Fire
) -> None:
    clone.commit("a.py", "one\n")
    fire("claude", claude(clone, "SessionStart", source="startup"))
    assert fire("claude", shell(clone, "python make.py")).silent
    clone.write("generated/näme.py", "new\n")
    clone.write("a.py", "two\n")
    (clone.path / "README.md").unlink()
    assert fire("claude", shell(clone, "python make.py", event="PostToolUse")).silent
    assert sorted(service.held("alice-1")) == ["README.md", "a.py", "generated/näme.py"]


def test_it_tells_once_when_a_command_changed_what_another_holds(
    clone: Clone, service: FakeService, fire: Fire
) -> None:
    service.hold("a.py", "bob", "bob-1")
    fire("claude", shell(clone, "python make.py"))
    clone.write("a.py", "two\n")
    clone.write("b.py", "two\n")
    outcome = fire("claude", shell(clone, "python make.py", event="PostToolUse"))
    assert outcome.code == 2
    assert "a.py is held by bob" in outcome.err
    assert service.held("alice-1") == ["b.py"]
    fire("claude", shell(clone, "python make.py", call="toolu_2"))
    clone.write("a.py", "three\n")
    assert fire("claude", shell(clone, "python make.py", call="toolu_2", event="PostToolUse")).silent


def test_it_does_not_claim_what_was_changed_before_the_command(
    clone: Clone, service: FakeService, fire: Fire
) -> None:
    path = clone.write("old.py")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    fire("claude", shell(clone, "python make.py"))
    fire("claude", shell(clone, "python make.py", event="PostToolUse"))
    assert service.held() == []


def test_it_is_silent_at_the_start_when_nobody_holds_anything(
    clone: Clone, service: FakeService, fire: Fire
) -> None:
    assert fire("claude", claude(clone, "SessionStart", source="startup")).silent
    line = (clone.path / ".coordination/sessions.live").read_text().split()
    assert line[0] == "alice-1"
    assert int(line[1]) > 0


def test_it_is_on_the_list_of_each_clone_it_writes_in(
    clone: Clone, make_clone, service: FakeService, fire: Fire
) -> None:
    """Else its own claims would block its commits there: it started elsewhere, or before the wiring."""
    elsewhere = make_clone("elsewhere")
    elsewhere.initialise(service.url)
    lists = [place.path / ".coordination/sessions.live" for place in (clone, elsewhere)]
    fire("claude", claude(clone, "SessionStart", source="startup"))
    there = edit(clone, "a.py")
    there["tool_input"] = {"file_path": str(elsewhere.path / "a.py")}
    assert fire("claude", there).silent
    assert [path.read_text().split()[0] for path in lists] == ["alice-1", "alice-1"]
    fire("claude", claude(clone, "SessionEnd", reason="prompt_input_exit"))
    assert [path.exists() for path in lists] == [False, False]


def test_it_names_at_the_start_what_others_hold(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("src/**", "bob", "bob-1")
    service.hold("mine.py", "alice", "alice-1")
    outcome = fire("claude", claude(clone, "SessionStart", source="compact"))
    assert outcome.json == {
        "hookSpecificOutput": {
            "hookEventName": "SessionStart",
            "additionalContext": "coord: held by others in this repository: src/** (bob).",
        }
    }


def test_it_releases_everything_at_the_end_in_one_call(
    clone: Clone, service: FakeService, fire: Fire, tmp_path: object
) -> None:
    fire("claude", claude(clone, "SessionStart", source="startup"))
    fire("claude", edit(clone, "a.py", call="1"))
    fire("claude", edit(clone, "b.py", call="2"))
    service.hold("c.py", "bob", "bob-1")
    ending = claude(clone, "SessionEnd", reason="prompt_input_exit")
    ending["cwd"] = str(tmp_path)
    assert fire("claude", ending).silent
    assert service.held() == ["c.py"]
    assert len(service.asked("POST", "/sessions/alice-1/release")) == 1
    assert not (clone.path / ".coordination/sessions.live").exists()


def test_it_gives_a_sign_of_life_at_most_once_a_minute(
    clone: Clone, service: FakeService, fire: Fire, virtual_time
) -> None:
    fire("claude", edit(clone, "a.py"))
    for _ in range(3):
        assert fire("claude", shell(clone, "ls", event="PostToolUse")).silent
    assert service.asked("POST", "/sessions/alice-1/heartbeat") == []
    virtual_time.advance(61)
    for _ in range(3):
        fire("claude", shell(clone, "ls"))
    assert len(service.asked("POST", "/sessions/alice-1/heartbeat")) == 1


def test_it_tells_once_that_a_lease_was_lost(
    clone: Clone, service: FakeService, fire: Fire, virtual_time
) -> None:
    fire("claude", edit(clone, "a.py"))
    service.lost = [{"claim_id": "c1", "pattern": "a.py", "reason": "idle", "held_now_by": "bob"}]
    virtual_time.advance(61)
    assert fire("claude", claude(clone, "Stop")).silent, "nobody reads it there"
    virtual_time.advance(61)
    done = fire("claude", shell(clone, "ls", event="PostToolUse"))
    assert done.code == 2
    assert done.err.splitlines()[0] == (
        "coord: your claim on a.py is over (it showed no sign of life); bob holds it now."
    )
    virtual_time.advance(61)
    assert fire("claude", shell(clone, "ls", event="PostToolUse")).silent


def test_it_knows_its_own_session_when_it_is_shown_cut_short(
    clone: Clone, service: FakeService, fire: Fire
) -> None:
    service.hold("mine.py", "alice", "alic…")
    assert fire("claude", claude(clone, "SessionStart", source="startup")).silent


def test_it_lets_the_holder_of_symbols_edit_the_file(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("a.py", "bob", "bob-1", scope_type="symbol")
    assert fire("claude", edit(clone, "a.py")).code == 2
    service.hold("a.py", "alice", "alice-1", scope_type="symbol")
    assert fire("claude", edit(clone, "a.py", call="2")).silent


@pytest.mark.parametrize("wrapper", ["", "timeout 60"])
def test_it_claims_in_the_session_of_its_own_mcp_bridge(
    clone: Clone, service: FakeService, wrapper: str
) -> None:
    with Agent(clone.path) as alice, Agent(clone.path) as bob:
        (clone.path / ".coordination/sessions.live").write_text(
            f"bridge-7 {alice.bridge()} 0\nbridge-8 {bob.bridge()} 0\nother 1 0\n"
        )
        service.hold("a.py", "alice", "bridge-7")
        service.hold("b.py", "bob", "bridge-8")
        assert alice.fire("claude", edit(clone, "a.py"), wrapper).silent
        assert alice.fire("claude", edit(clone, "b.py", call="2"), wrapper).code == 2
        assert bob.fire("claude", edit(clone, "b.py", session="bob-1"), wrapper).silent
    assert [body["session_id"] for body in service.asked("POST", "/claims")] == [
        "bridge-7",
        "bridge-7",
        "bridge-8",
    ]


def test_it_keeps_its_session_and_knows_a_bridge_that_comes_later(clone: Clone, service: FakeService) -> None:
    with Agent(clone.path) as alice:
        alice.fire("claude", edit(clone, "a.py"))
        (clone.path / ".coordination/sessions.live").write_text(f"bridge-7 {alice.bridge()} 0\n")
        service.hold("b.py", "alice", "bridge-7")
        service.hold("c.py", "bob", "bob-1")
        assert alice.fire("claude", edit(clone, "b.py", call="2")).silent
        assert alice.fire("claude", edit(clone, "c.py", call="3")).code == 2
    assert {body["session_id"] for body in service.asked("POST", "/claims")} == {"alice-1"}


def test_it_only_checks_without_a_session(clone: Clone, service: FakeService, fire: Fire) -> None:
    assert fire("claude", edit(clone, "a.py", session="")).silent
    service.hold("b.py", "bob", "bob-1")
    assert fire("claude", edit(clone, "b.py", session="")).code == 2
    assert service.asked("POST", "/claims") == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"hook_event_name": 3}',
        b'{"hook_event_name": "PreToolUse", "tool_name": "Edit"}',
        b'{"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"file_path": 5}}',
        b'{"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": {"file_path": "a\\u0000b"}}',
        b'{"hook_event_name": "SomethingNew"}',
        b'{"hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {"file_path": "/etc/hosts"}}',
    ],
)
def test_it_never_blocks_over_a_payload_it_cannot_read(fire: Fire, payload: bytes) -> None:
    assert fire("claude", payload).code in (0, 1)


def test_the_services_advice_is_told_in_terms_of_tools() -> None:
    held = Holder("a.py", "bob", "a.py", "c1", 5, "", False)
    reply = enforcing._judge(
        cast(Any, None), Verdict((held,), next="Ask bob with POST /requests (claim_id c1).")
    )
    assert reply.block.endswith("Next: Ask bob with request_release (claim_id c1).")
