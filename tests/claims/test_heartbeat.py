"""POST /sessions/{session_id}/heartbeat: a sign of life, and what was lost."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _idle(config):
    config(idle_timeout_sec=600)


def test_it_keeps_the_sessions_claims(api, clock):
    api.claim("alice", "a.py", repo="org/app", session_id="sa")
    api.claim("alice", "b.py", repo="org/other", session_id="sa")
    for _ in range(4):
        clock.advance(500)
        status, body = api.post("/sessions/sa/heartbeat")
        assert (status, body) == (200, {"ok": True, "renewed": 2, "lost": []})
    assert api.claim("bob", "a.py", repo="org/app")[0] == 409


def test_it_does_not_lengthen_the_lease(api, clock):
    _, made = api.claim("alice", "a.py", session_id="sa", ttl_hours=1)
    for _ in range(7):
        clock.advance(500)
        api.post("/sessions/sa/heartbeat")
    clock.advance(100)
    _, body = api.post("/sessions/sa/heartbeat")
    assert body["renewed"] == 0
    assert [(lost["claim_id"], lost["reason"]) for lost in body["lost"]] == [
        (made["claim_ids"][0], "expired")
    ]


def test_it_tells_what_fell_idle_and_who_has_it_now(api, clock):
    _, made = api.claim("alice", "a.py", repo="org/app", session_id="sa")
    clock.advance(600)
    api.claim("bob", "a.py", repo="org/app")
    clock.advance(60)
    _, body = api.post("/sessions/sa/heartbeat")
    assert body["renewed"] == 0
    assert body["lost"] == [
        {
            "kind": "lease-lost",
            "id": made["claim_ids"][0],
            "claim_id": made["claim_ids"][0],
            "pattern": "a.py",
            "repo": "org/app",
            "reason": "idle",
            "ended_at": "2026-11-23T12:10:00Z",
            "held_now_by": "bob",
        }
    ]


def test_it_tells_of_a_loss_before_any_sweep(api, clock):
    api.claim("alice", "a.py", session_id="sa")
    clock.advance(700)
    _, body = api.post("/sessions/sa/heartbeat")
    (lost,) = body["lost"]
    assert (lost["reason"], lost["held_now_by"]) == ("idle", None)
    assert lost["ended_at"] == "2026-11-23T12:10:00Z"


def test_what_was_given_up_is_not_lost(api, clock):
    _, made = api.claim("alice", "a.py", session_id="sa")
    api.delete(f"/claims/{made['claim_ids'][0]}")
    assert api.post("/sessions/sa/heartbeat")[1] == {"ok": True, "renewed": 0, "lost": []}


def test_what_was_claimed_again_is_not_lost(api, clock):
    api.claim("alice", "a.py", session_id="sa")
    clock.advance(700)
    api.claim("alice", "a.py", session_id="sa")
    assert api.post("/sessions/sa/heartbeat")[1] == {"ok": True, "renewed": 1, "lost": []}


def test_an_unknown_session_has_nothing(api, clock):
    assert api.post("/sessions/nobody/heartbeat")[1] == {"ok": True, "renewed": 0, "lost": []}


def test_the_session_header_is_a_sign_of_life_too(api, clock):
    api.claim("alice", "a.py", session_id="sa")
    clock.advance(500)
    api.get("/repos", X_Coord_Session="sa")
    clock.advance(500)
    assert api.post("/sessions/sa/heartbeat")[1]["renewed"] == 1


def test_without_a_token_it_is_none(api, clock):
    api.claim("alice", "a.py", session_id="sa")
    clock.advance(500)
    api.headers = {}
    assert api.post("/sessions/sa/heartbeat")[0] == 401
    assert api.get("/repos", X_Coord_Session="sa")[0] == 401
    clock.advance(100)
    api.headers = {"Authorization": "Bearer test-token"}
    assert api.claim("bob", "a.py")[0] == 200
