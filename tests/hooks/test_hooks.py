"""POST /hooks/{tool}: the decisions of ``coord-hook``, each tool in its own words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims.models import Claim
from common.caller import Caller
from coordsite import authentication
from coordsite.hooks.targets import relative_to, targets_of
from coordsite.kit.payloads import event_of

from .payloads import ROOT, bash, claude, codex, cursor, edit


@pytest.fixture
def fire(api, clock):
    """Send a payload as alice; the tool's answer."""

    def send(tool, payload, **headers):
        said = {"X_Coord_Repo": "org/app", "X_Coord_Engineer": "alice", **headers}
        status, body = api.post(f"/hooks/{tool}", payload, **said)
        assert status == 200, body
        return body

    return send


def bob(api, *patterns, **fields):
    status, body = api.claim("bob", *patterns, repo="org/app", session_id="bob-session", **fields)
    assert status == 200
    return body["claim_ids"][0]


def held(session="claude-1"):
    rows = Claim.objects.filter(released_at__isnull=True, session_id=session)
    return sorted(rows.values_list("pattern", flat=True))


@pytest.mark.parametrize("tool", ["Edit", "Write", "MultiEdit", "NotebookEdit"])
def test_it_claims_the_file_for_the_session_and_is_silent(fire, tool):
    assert fire("claude", edit("src/a.py", tool)) == {}
    claim = Claim.objects.get()
    assert (claim.pattern, claim.engineer, claim.session_id) == ("src/a.py", "alice", "claude-1")
    assert (claim.repository.name, claim.description) == ("org/app", "editing (claude hook)")


def test_it_claims_once(fire):
    fire("claude", edit("src/a.py"))
    fire("claude", edit("src/a.py"))
    assert Claim.objects.count() == 1


def test_it_denies_what_somebody_else_holds(api, fire):
    claim_id = bob(api, "src/**", description="login\nrework\x85", ttl_hours=1)
    assert fire("claude", edit("src/a.py")) == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": (
                "coord: src/a.py is held by bob through src/** for 60 more min (login rework).\n"
                f'Next: Ask for it: request_release(claim_id="{claim_id}", reason="…").'
            ),
        }
    }
    assert held() == []


def test_it_denies_who_stands_before_others_in_line(api, fire):
    holder = bob(api, "src/a.py")
    body = {
        "engineer": "carol",
        "claims": [{"type": "file", "pattern": "src/**"}],
        "repo": "org/app",
        "session_id": "carol-session",
        "hold_place_seconds": 600,
    }
    assert api.post("/claims", body)[0] == 202
    reason = fire("claude", edit("src/b.py"))["hookSpecificOutput"]["permissionDecisionReason"]
    assert reason.splitlines()[0] == "coord: src/b.py is held by carol through src/** (next in line)."
    api.delete(f"/claims/{holder}")


def test_it_denies_another_session_of_the_same_person(fire):
    fire("claude", edit("a.py"))
    denied = fire("claude", {**edit("a.py"), "session_id": "claude-2"})
    assert denied["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_it_lets_holders_of_symbols_edit_their_file(api, fire):
    item = {"type": "file", "pattern": "src/a.py"}
    for who, session, symbol in (("alice", "claude-1", "mine"), ("bob", "bob-session", "his")):
        body = {"engineer": who, "session_id": session, "repo": "org/app"}
        assert api.post("/claims", {**body, "claims": [{**item, "symbols": [symbol]}]})[0] == 200
    assert fire("claude", edit("src/a.py")) == {}
    assert Claim.objects.count() == 2


def test_it_reads_shell_commands(api, fire):
    assert fire("claude", bash("cat README.md | grep x")) == {}
    assert held() == []
    assert fire("claude", bash("echo hi > notes.txt && sed -i s/a/b/ src/a.py && rm -f old.py")) == {}
    assert held() == ["notes.txt", "old.py", "src/a.py"]


@pytest.mark.parametrize(
    "command",
    ["rm lib/*.py", "git checkout -- lib/x.py", "git restore lib", "tee lib/x.py < y", "mv lib/x.py z.py"],
)
def test_it_denies_commands_that_write_what_others_hold(api, fire, command):
    bob(api, "lib/x.py")
    denied = fire("claude", bash(command))
    assert denied["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert "is held by bob" in denied["hookSpecificOutput"]["permissionDecisionReason"]


def test_it_looks_at_globs_without_claiming_them(fire):
    assert fire("claude", bash("rm -rf build/*.o && git restore src")) == {}
    assert held() == []


def test_it_reads_patches_of_codex(api, fire):
    patch = "\n".join(
        [
            "*** Begin Patch",
            "*** Update File: src/a.py",
            "*** Move to: src/b.py",
            "@@",
            "-a",
            "+b",
            "*** Add File: new.py",
            "+x",
            "*** End Patch",
        ]
    )
    assert fire("codex", codex(patch)) == {}
    assert held("codex-1") == ["new.py", "src/a.py", "src/b.py"]
    bob(api, "lib/**")
    denied = fire("codex", codex(patch.replace("new.py", "lib/new.py")))
    assert denied["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_it_speaks_cursor(api, fire):
    write = {"tool_name": "Write", "tool_input": {"file_path": f"{ROOT}/src/a.py"}, "tool_use_id": "c1"}
    assert fire("cursor", cursor("preToolUse", **write)) == {}
    assert held("cursor-1") == ["src/a.py"]
    bob(api, "lib/**")
    denied = fire("cursor", cursor("beforeShellExecution", command="touch lib/x.py", cwd=ROOT))
    assert denied["permission"] == "deny"
    assert denied["agent_message"] == denied["user_message"]
    assert denied["agent_message"].startswith("coord: lib/x.py is held by bob")
    started = fire("cursor", cursor("sessionStart"))
    assert started == {"additional_context": "coord: held by others in this repository: lib/** (bob)."}
    assert fire("cursor", cursor("afterFileEdit", file_path=f"{ROOT}/lib/x.py", edits=[])) == {}


def test_it_tells_after_an_edit_that_it_was_somebody_elses(api, fire):
    bob(api, "lib/**")
    told = fire("claude", edit("lib/x.py", event="PostToolUse"))
    assert told["decision"] == "block"
    assert told["reason"].endswith("It is edited already: leave it out of your commit.")


def test_it_tells_at_the_start_what_others_hold(api, fire):
    assert fire("claude", claude("SessionStart", source="startup")) == {}
    fire("claude", edit("mine.py"))
    bob(api, *[f"f{n:02}.py" for n in range(12)])
    told = fire("claude", claude("SessionStart", source="resume"))["hookSpecificOutput"]
    assert told["hookEventName"] == "SessionStart"
    assert told["additionalContext"].endswith("and 2 more.")
    assert "mine.py" not in told["additionalContext"]


def test_it_renews_the_lease_at_each_event(api, fire, clock, config):
    config(idle_timeout_sec=60)
    fire("claude", edit("a.py"))
    for event in ("UserPromptSubmit", "SubagentStop", "Stop"):
        clock.advance(50)
        assert fire("claude", claude(event)) == {}
    assert held() == ["a.py"]
    assert Claim.objects.get().last_activity == clock.time


def test_it_releases_at_the_end(fire):
    fire("claude", edit("a.py"))
    fire("claude", edit("b.py"))
    assert fire("claude", claude("SessionEnd", reason="exit")) == {}
    assert held() == []
    assert set(Claim.objects.values_list("end_reason", flat=True)) == {"session"}


@pytest.mark.parametrize(
    "payload",
    [
        claude("PreCompact", trigger="auto"),
        claude("PreToolUse", tool_name="Read", tool_input={"file_path": f"{ROOT}/a.py"}),
        claude("PreToolUse", tool_name="Edit", tool_input=[]),
        edit("../other/a.py"),
        edit(".git/config"),
        edit(".coordination/local.env"),
        bash("rm /etc/hosts"),
        edit("/".join("d" * 65)),
    ],
)
def test_it_has_no_say_in_what_is_not_the_repositorys(fire, payload):
    assert fire("claude", payload) == {}
    assert Claim.objects.count() == 0


def test_it_knows_the_root_from_the_header_when_work_goes_on_below(fire):
    fire("claude", {**edit("src/a.py"), "cwd": f"{ROOT}/src"}, X_Coord_Root=ROOT)
    assert held() == ["src/a.py"]


def test_it_counts_an_agents_own_work_tree_as_the_repository(fire):
    fire("claude", edit(".claude/worktrees/topic/src/a.py"))
    elsewhere = {**edit("x"), "cwd": "/tmp/tree", "tool_input": {"file_path": "/tmp/tree/src/b.py"}}
    fire("claude", elsewhere, X_Coord_Root=ROOT)
    assert held() == ["src/a.py", "src/b.py"]


def test_it_asks_for_the_root_when_nothing_says_it(api):
    payload = {**edit("a.py"), "cwd": ""}
    status, body = api.post("/hooks/claude", payload)
    assert (status, body["next"]) == (422, "Send the header X-Coord-Root with the repository's root.")


def test_it_takes_the_repository_from_the_query(api):
    assert api.post("/hooks/claude?repo=org/q", edit("a.py"))[0] == 200
    claim = Claim.objects.get()
    assert (claim.repository.name, claim.engineer) == ("org/q", "agent")


def test_it_checks_many_paths_and_claims_none(api, fire):
    fire("claude", bash("touch " + " ".join(f"f{n}.py" for n in range(101))))
    assert held() == []
    bob(api, "f100.py")
    denied = fire("claude", bash("touch " + " ".join(f"f{n}.py" for n in range(101))))
    assert "f100.py is held by bob" in denied["hookSpecificOutput"]["permissionDecisionReason"]


def test_it_acts_for_the_engineer_of_a_personal_token(api, fire, monkeypatch):
    caller = Caller("personal", "carol", "carol", repositories=frozenset({"org/app"}))
    monkeypatch.setattr(authentication, "resolve_token", lambda raw: caller)
    assert api.post("/hooks/claude", edit("a.py"))[0] == 200
    assert Claim.objects.get().engineer == "carol"
    assert api.post("/hooks/claude", edit("a.py"), X_Coord_Engineer="bob")[0] == 403
    assert api.post("/hooks/claude", edit("a.py"), X_Coord_Repo="org/other")[0] == 403


def test_it_wants_a_token(api):
    api.headers = {}
    assert api.post("/hooks/claude", edit("a.py"))[0] == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/hooks/vim", {"hook_event_name": "x"}, 404),
        ("/hooks/claude", {}, 422),
        ("/hooks/claude", {"hook_event_name": 5 * ["x"]}, 422),
        ("/hooks/claude", ["x"], 422),
    ],
)
def test_it_refuses_what_is_no_payload(api, path, body, status):
    answered, said = api.post(path, body)
    assert answered == status
    assert said["code"] in ("invalid", "not_found")


def test_a_claim_that_ran_out_is_taken_again(api, fire, clock):
    bob(api, "a.py", ttl_hours=1)
    clock.advance(timedelta(hours=1, seconds=1).total_seconds())
    assert fire("claude", edit("a.py")) == {}
    assert held() == ["a.py"]


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_it_reads_any_command(command):
    event = event_of("claude", bash(command.replace("\0", " ")), "")
    targets = targets_of(event, (ROOT,))
    for path in (*targets.paths, *targets.looked_at):
        assert not path.startswith("/")
        assert ".." not in path.split("/")


@pytest.mark.parametrize(
    ("path", "below"),
    [
        (f"{ROOT}/a.py", "a.py"),
        (f"{ROOT}/lib/a.py", "a.py"),
        (f"{ROOT}x/a.py", ""),
        ("/etc/passwd", ""),
        ("../a.py", ""),
        ("a.py", "a.py"),
        (ROOT, ""),
    ],
)
def test_the_deepest_root_counts(path, below):
    assert relative_to(path, (ROOT, f"{ROOT}/lib")) == below
