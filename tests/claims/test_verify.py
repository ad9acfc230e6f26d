"""POST /verify: whose are these changes?"""

from __future__ import annotations

import pytest

from claims.models import Claim
from common.caller import Caller
from coordsite import authentication
from webhooks.models import Event

ALICE = {"engineer": "alice", "session_id": "sa"}
BOB = {"engineer": "bob", "session_id": "sb"}


def hold(api, who, *patterns, **fields):
    """Claim in org/app; returns what to present: id and fence of each claim."""
    status, body = api.claim(
        who["engineer"], *patterns, repo="org/app", session_id=who["session_id"], **fields
    )
    assert status == 200, body
    return [{"id": claim["id"], "fence": claim["fence"]} for claim in body["claims"]]


def hold_symbols(api, who, path, *symbols):
    item = {"type": "file", "pattern": path, "symbols": list(symbols)}
    status, body = api.post("/claims", {**who, "claims": [item], "repo": "org/app"})
    assert status == 200, body
    return [{"id": claim["id"], "fence": claim["fence"]} for claim in body["claims"]]


def verify(api, *changes, **fields):
    status, body = api.post("/verify", {"repo": "org/app", "changes": list(changes), **fields})
    assert status == 200, body
    return body


def verdicts(body):
    return {row["path"]: row["verdict"] for row in body["paths"]}


def test_it_tells_yours_unclaimed_and_held_apart(api, clock):
    [mine] = hold(api, ALICE, "src/a.py")
    [theirs] = hold(api, BOB, "lib/**", description="the new parser", ttl_hours=1)
    body = verify(api, "src/a.py", "README.md", "lib/x.py", base="main", head="abc", **ALICE)
    assert body == {
        "ok": False,
        "repo": "org/app",
        "base": "main",
        "head": "abc",
        "counts": {"yours": 1, "unclaimed": 1, "held_by_other": 1, "stale_fence": 0},
        "paths": [
            {
                "path": "src/a.py",
                "verdict": "yours",
                "claim_id": mine["id"],
                "fence": mine["fence"],
                "holder": "alice",
                "session": "s…",
                "pattern": "src/a.py",
                "description": None,
                "expires_at": "2026-11-23T16:00:00Z",
                "minutes_left": 240,
                "next": None,
            },
            {
                "path": "README.md",
                "verdict": "unclaimed",
                "claim_id": None,
                "fence": None,
                "holder": None,
                "session": None,
                "pattern": None,
                "description": None,
                "expires_at": None,
                "minutes_left": None,
                "next": None,
            },
            {
                "path": "lib/x.py",
                "verdict": "held_by_other",
                "claim_id": theirs["id"],
                "fence": theirs["fence"],
                "holder": "bob",
                "session": "s…",
                "pattern": "lib/**",
                "description": "the new parser",
                "expires_at": "2026-11-23T13:00:00Z",
                "minutes_left": 60,
                "next": f"Ask bob (s…) with POST /requests (claim_id {theirs['id']}), or work elsewhere.",
            },
        ],
        "claims": [],
        "next": "Leave the held paths out, or wait until their holder releases them.",
    }


def test_it_passes_changes_under_a_presented_live_claim(api, clock):
    [mine] = hold(api, ALICE, "src/**")
    body = verify(api, "src/a.py", claims=[mine], **ALICE)
    assert (body["ok"], verdicts(body), body["next"]) == (True, {"src/a.py": "yours"}, None)
    assert body["claims"] == [{**mine, "state": "live"}]


def test_it_refuses_a_fence_whose_claim_was_released(api, clock):
    [old] = hold(api, ALICE, "src/**")
    api.delete(f"/claims/{old['id']}")
    body = verify(api, "src/a.py", "docs/b.md", claims=[old], **ALICE)
    assert verdicts(body) == {"src/a.py": "stale_fence", "docs/b.md": "unclaimed"}
    assert body["claims"] == [{**old, "state": "ended"}]
    assert (body["ok"], body["next"]) == (
        False,
        "Claim the paths again, read what changed since, then verify with the new claim.",
    )


def test_it_keeps_a_refused_fence_refused(api, clock, config):
    config(idle_timeout_sec=60)
    [old] = hold(api, ALICE, "src/a.py")
    clock.advance(61)
    assert verdicts(verify(api, "src/a.py", claims=[old])) == {"src/a.py": "stale_fence"}
    assert Claim.objects.get(id=old["id"]).end_reason == "idle"
    assert Event.objects.filter(event_type="claim_idle").count() == 1
    clock.advance(-61)
    api.post("/sessions/sa/heartbeat")
    assert verdicts(verify(api, "src/a.py", claims=[old])) == {"src/a.py": "stale_fence"}
    [new] = hold(api, ALICE, "src/a.py")
    assert new["fence"] > old["fence"]
    assert verdicts(verify(api, "src/a.py", claims=[old], **ALICE)) == {"src/a.py": "stale_fence"}
    assert verdicts(verify(api, "src/a.py", claims=[old, new], **ALICE)) == {"src/a.py": "yours"}


def test_it_refuses_a_live_claim_with_another_fence(api, clock):
    [mine] = hold(api, ALICE, "src/a.py")
    body = verify(api, "src/a.py", claims=[{"id": mine["id"], "fence": mine["fence"] - 1}], **ALICE)
    assert verdicts(body) == {"src/a.py": "stale_fence"}
    assert body["claims"][0]["state"] == "wrong_fence"


def test_it_refuses_everything_not_otherwise_yours_for_a_claim_that_is_gone(api, clock):
    [mine] = hold(api, ALICE, "src/a.py")
    gone = {"id": "11111111-1111-4111-8111-111111111111", "fence": 3}
    body = verify(api, "src/a.py", "docs/b.md", claims=[mine, gone], **ALICE)
    assert verdicts(body) == {"src/a.py": "yours", "docs/b.md": "stale_fence"}
    assert body["claims"][1] == {**gone, "state": "unknown"}


def test_it_names_the_holder_before_the_stale_fence(api, clock):
    [old] = hold(api, ALICE, "src/a.py")
    api.delete(f"/claims/{old['id']}")
    hold(api, BOB, "src/a.py")
    body = verify(api, "src/a.py", claims=[old], **ALICE)
    assert [(row["verdict"], row["holder"]) for row in body["paths"]] == [("held_by_other", "bob")]


def test_it_does_not_accept_a_claim_of_somebody_else(api, clock):
    [theirs] = hold(api, BOB, "src/a.py")
    body = verify(api, "src/a.py", claims=[theirs], **ALICE)
    assert verdicts(body) == {"src/a.py": "held_by_other"}
    assert body["claims"][0]["state"] == "not_yours"


def test_it_takes_the_word_of_an_operator_that_names_nobody(api, clock):
    [theirs] = hold(api, BOB, "src/a.py")
    assert verdicts(verify(api, "src/a.py", claims=[theirs])) == {"src/a.py": "yours"}
    assert verdicts(verify(api, "src/a.py")) == {"src/a.py": "held_by_other"}


def test_it_counts_both_sides_of_a_rename(api, clock):
    hold(api, BOB, "old/a.py")
    hold(api, ALICE, "new/**")
    body = verify(api, {"path": "new/a.py", "old_path": "old/a.py"}, **ALICE)
    assert verdicts(body) == {"old/a.py": "held_by_other", "new/a.py": "yours"}
    assert not body["ok"]


def test_it_counts_each_path_once(api, clock):
    body = verify(api, "a.py", "a.py", {"path": "a.py", "old_path": "b.py"})
    assert list(verdicts(body)) == ["a.py", "b.py"]


def test_it_counts_every_session_that_is_named(api, clock):
    hold(api, ALICE, "a.py")
    hold(api, {"engineer": "alice", "session_id": "sa2"}, "b.py")
    named = verify(api, "a.py", "b.py", engineer="alice", session_ids=["sa", "sa2"])
    assert verdicts(named) == {"a.py": "yours", "b.py": "yours"}
    one = verify(api, "a.py", "b.py", **ALICE)
    assert verdicts(one) == {"a.py": "yours", "b.py": "held_by_other"}
    assert verdicts(verify(api, "a.py", "b.py", engineer="alice")) == {"a.py": "yours", "b.py": "yours"}


def test_it_is_a_sign_of_life(api, clock, config):
    config(idle_timeout_sec=60)
    hold(api, ALICE, "a.py")
    clock.advance(50)
    verify(api, "a.py", **ALICE)
    clock.advance(50)
    assert verdicts(verify(api, "a.py", **ALICE)) == {"a.py": "yours"}


def test_it_lets_holders_of_different_symbols_change_one_file(api, clock):
    mine = hold_symbols(api, ALICE, "src/a.py", "foo")
    hold_symbols(api, BOB, "src/a.py", "bar")
    assert verdicts(verify(api, "src/a.py", claims=mine, **ALICE)) == {"src/a.py": "yours"}
    assert verdicts(verify(api, "src/a.py", **BOB)) == {"src/a.py": "yours"}
    carol = {"engineer": "carol", "session_id": "sc"}
    assert verdicts(verify(api, "src/a.py", **carol)) == {"src/a.py": "held_by_other"}


def test_it_lets_the_holder_of_a_carved_file_change_it(api, clock):
    hold(api, ALICE, "src/**")
    hold_symbols(api, BOB, "src/a.py", "bar")
    assert verdicts(verify(api, "src/a.py", "src/b.py", **ALICE)) == {
        "src/a.py": "yours",
        "src/b.py": "yours",
    }
    assert verdicts(verify(api, "src/a.py", "src/b.py", **BOB)) == {
        "src/a.py": "yours",
        "src/b.py": "held_by_other",
    }


@pytest.mark.parametrize("path", ["app/[id]/page.tsx", "a*.py", "what?.md", "{a,b}.ts", " !x", "a\tb"])
def test_it_takes_a_path_as_it_is(api, clock, path):
    hold(api, BOB, "app/i/page.tsx", "ab.py", "whats.md")
    assert verdicts(verify(api, path, **ALICE)) == {path: "unclaimed"}
    hold(api, BOB, "**")
    assert verdicts(verify(api, path, **ALICE)) == {path: "held_by_other"}


def test_it_agrees_with_a_literal_claim_of_a_bracketed_path(api, clock):
    hold(api, BOB, "app/[id]/page.tsx")
    assert verdicts(verify(api, "app/[id]/page.tsx")) == {"app/[id]/page.tsx": "held_by_other"}


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ("../up.py", "changes[0]: The path '../up.py' has a '..' segment."),
        ("./", "changes[0]: The path is blank."),
        ("/".join("d" * 65), "changes[0]: The path has 65 segments; at most 64 are allowed."),
    ],
)
def test_it_refuses_what_is_no_path(api, change, detail):
    status, body = api.post("/verify", {"changes": [change]})
    assert (status, body["detail"], body["code"]) == (400, detail, "invalid")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, ["body", "changes"]),
        ({"changes": ["a"] * 5001}, ["body", "changes"]),
        ({"changes": ["x" * 1025]}, ["body", "changes", 0]),
        ({"changes": [{"old_path": "a"}]}, ["body", "changes", 0, "path"]),
        ({"changes": [None]}, ["body", "changes", 0]),
        ({"changes": ["a"], "claims": [{"id": "x"}]}, ["body", "claims", 0, "fence"]),
        ({"changes": ["a"], "claims": [{"id": "x", "fence": 1}] * 1001}, ["body", "claims"]),
    ],
)
def test_it_names_the_field_that_is_wrong(api, fields, where):
    status, body = api.post("/verify", fields)
    assert (status, body["detail"][0]["loc"]) == (422, where)


def test_it_answers_for_a_repository_that_nobody_claimed_in(api, clock):
    body = verify(api, "a.py", repo="org/other")
    assert (body["ok"], verdicts(body)) == (True, {"a.py": "unclaimed"})


@pytest.fixture
def personal(monkeypatch):
    """Make the token alice's, for org/app alone: ``personal(role="ci")``."""

    def use(**fields):
        caller = Caller("personal", "alice", "alice", repositories=frozenset({"org/app"}), **fields)
        monkeypatch.setattr(authentication, "resolve_token", lambda raw: caller)

    return use


def test_it_lets_a_ci_token_ask_for_anybody(api, clock, personal):
    hold(api, BOB, "a.py")
    [mine] = hold(api, ALICE, "b.py")
    personal(role="ci")
    assert verdicts(verify(api, "a.py", engineer="bob")) == {"a.py": "yours"}
    assert verdicts(verify(api, "a.py", "b.py", claims=[mine])) == {"a.py": "held_by_other", "b.py": "yours"}


def test_it_limits_a_personal_token_to_its_engineer_and_repositories(api, clock, personal):
    personal()
    hold(api, ALICE, "a.py")
    assert verdicts(verify(api, "a.py")) == {"a.py": "yours"}
    status, body = api.post("/verify", {"repo": "org/app", "changes": ["a.py"], "engineer": "bob"})
    assert (status, body["code"]) == (403, "forbidden")
    status, body = api.post("/verify", {"repo": "org/other", "changes": ["a.py"]})
    assert (status, body["code"]) == (403, "forbidden")
    assert api.post("/verify", {"changes": ["a.py"]})[1]["repo"] == "org/app"
