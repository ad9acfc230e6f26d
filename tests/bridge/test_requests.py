"""Requests, the inbox, places in line and extending: what is sent and what comes back."""

from __future__ import annotations

from typing import Any

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.replies import size

from .fake_service import LATER, FakeService


async def test_my_requests_finds_this_sessions_places_whoever_it_claimed_as(
    call: Any, fake: FakeService, bridge_settings: dict[str, Any]
) -> None:
    bridge_settings["requester"] = "somebody-else"
    body = {"session_id": "SA", "engineer": "alice/7", "claims": []}
    fake.tickets["q1"] = {"queue_id": "q1", "state": "waiting", "body": body, "session_id": "SA"}
    fake.tickets["q2"] = {"queue_id": "q2", "state": "waiting", "body": body, "session_id": "SB"}
    reply = await call("my_requests", queued=True)
    assert [row["queue_id"] for row in reply["requests"]] == ["q1"]
    assert reply["queued"] is True
    [sent] = fake.calls("GET", "/requests")
    assert sent.query == {"queued": ["true"], "session_id": ["SA"]}


async def test_my_requests_lists_what_this_identity_filed(call: Any, fake: FakeService) -> None:
    held = fake.hold("a.py")
    filed = await call("request_release", claim_id=held, reason="need", wait_seconds=0)
    reply = await call("my_requests")
    assert [row["id"] for row in reply["requests"]] == [filed["id"]]
    assert fake.calls("GET", "/requests")[0].query == {"requester": ["alice"], "decision": ["pending"]}
    await call("my_requests", decision="")
    assert fake.calls("GET", "/requests")[1].query == {"requester": ["alice"]}


async def test_it_files_a_request(call: Any, fake: FakeService) -> None:
    held = fake.hold("a.py")
    reply = await call(
        "request_release",
        claim_id=held,
        reason="need it",
        urgency="high",
        requested_scope="a.py",
        wait_seconds=0,
    )
    [sent] = fake.calls("POST", "/requests")
    assert sent.body == {
        "claim_id": held,
        "requester": "alice",
        "session_id": "SA",
        "reason": "need it",
        "urgency": "high",
        "requested_scope": "a.py",
        "wait_seconds": 0,
    }
    assert reply["decision"] == "pending"
    assert size(reply) <= 700


async def test_it_returns_the_servers_words_for_an_unknown_claim(call: Any) -> None:
    reply = await call("request_release", claim_id="nope", reason="r")
    assert (reply["status"], reply["detail"]) == (404, "unknown claim_id 'nope'")


async def test_it_answers_a_request_for_its_session(call: Any, fake: FakeService) -> None:
    held = fake.hold("src/**")
    filed = await call("request_release", claim_id=held, reason="r", wait_seconds=0)
    reply = await call(
        "respond_to_request", request_id=filed["id"], decision="narrowed", narrowed_pattern="src/a/**"
    )
    [sent] = fake.calls("POST", f"/requests/{filed['id']}/respond")
    assert sent.body == {
        "decision": "narrowed",
        "session_id": "SA",
        "note": None,
        "narrowed_pattern": "src/a/**",
    }
    assert reply["decision"] == "narrowed"


async def test_it_returns_the_servers_words_for_an_unknown_decision(call: Any, fake: FakeService) -> None:
    held = fake.hold("a.py")
    filed = await call("request_release", claim_id=held, reason="r", wait_seconds=0)
    reply = await call("respond_to_request", request_id=filed["id"], decision="maybe")
    assert reply["status"] == 400
    assert "unknown decision 'maybe'" in reply["detail"]


async def test_the_inbox_keeps_what_matters(call: Any, fake: FakeService) -> None:
    fake.inbox = [
        {
            "kind": "request", "id": "r1", "claim_id": "c1", "requester_engineer": "bob", "reason": "x" * 900,
            "urgency": "high", "note": None, "requested_scope": "a.py", "holder_pattern": "a.py",
            "requester_session_id": "SB", "original_expires_at": LATER, "shortened_expires_at": LATER,
        }
    ]  # fmt: skip
    reply = await call("pending_requests", session_id="S/x y")
    [row] = reply["pending"]
    assert (row["kind"], row["id"], row["requester_engineer"]) == ("request", "r1", "bob")
    assert len(row["reason"]) == 100
    assert not {"note", "requester_session_id", "original_expires_at"} & set(row)
    assert fake.seen[0].path == "/sessions/S%2Fx%20y/pending_requests"


async def test_the_inbox_is_bounded(call: Any, fake: FakeService) -> None:
    fake.inbox = [{"kind": "request", "id": str(n), "reason": "x" * 300} for n in range(100)]
    reply = await call("pending_requests")
    assert size(reply) <= 3000
    assert len(reply["pending"]) + reply["more"] == 100


async def test_it_extends_by_one_id_or_many(call: Any, fake: FakeService) -> None:
    ids = [fake.hold("a.py", session="SA"), fake.hold("b.py", session="SA")]
    reply = await call("extend_claim", claim_ids=ids, claim_id=ids[0], ttl_hours=0.5)
    assert reply == {"ok": True, "extended": ids, "expires_at": LATER}
    assert [sent.body for sent in fake.seen] == [{"engineer": "alice", "ttl_hours": 0.5}] * 2


async def test_it_says_which_claims_it_could_not_extend(call: Any, fake: FakeService) -> None:
    held = fake.hold("a.py", session="SA")
    reply = await call("extend_claim", claim_ids=[held, "gone"])
    assert (reply["ok"], reply["extended"]) == (False, [held])
    [failed] = reply["failed"]
    assert (failed["id"], failed["detail"]) == ("gone", "Claim not found or not owned")


async def test_it_asks_for_a_claim_to_extend(call: Any, fake: FakeService) -> None:
    reply = await call("extend_claim")
    assert reply["ok"] is False
    assert fake.seen == []


async def test_it_leaves_the_line(call: Any, fake: FakeService) -> None:
    fake.tickets["q1"] = {"queue_id": "q1", "state": "waiting", "body": {}, "session_id": "SA"}
    assert await call("cancel_queue_request", queue_id="q1", engineer="alice") == {
        "ok": True,
        "cancelled": True,
        "queue_id": "q1",
    }
    assert fake.seen[0].query == {"engineer": ["alice"]}


async def test_it_quotes_ids_in_paths(call: Any, fake: FakeService, bridge: Bridge) -> None:
    await call("cancel_queue_request", queue_id="../claims?x=1#y")
    assert fake.seen[0].path == "/requests/..%2Fclaims%3Fx%3D1%23y"


async def test_it_releases_with_and_without_an_engineer(call: Any, fake: FakeService) -> None:
    await call("release_claims", claim_ids="c1")
    await call("release_claims", claim_ids=["c1"], engineer="alice")
    assert [sent.body for sent in fake.seen] == [
        {"claim_ids": ["c1"], "session_id": "SA"},
        {"claim_ids": ["c1"], "session_id": "SA", "engineer": "alice"},
    ]
