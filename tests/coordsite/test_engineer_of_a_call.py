"""The engineer of a call is its token's, on every operation that acts or asks for somebody."""

from __future__ import annotations

import pytest

from claims.models import Claim, ReleaseRequest
from queueing.models import Ticket
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(person):
    return person("alice", session="session-alice-1")


@pytest.fixture
def bob(person):
    return person("bob", session="session-bob-1")


def held(claimed):
    status, body = claimed
    assert status == 200, body
    return body["claim_ids"][0]


def claim(who, *patterns, **fields):
    items = [{"type": "file", "pattern": pattern} for pattern in patterns]
    return who.post("/claims", {"claims": items, **fields})


@pytest.fixture
def world(bob, alice):
    """Bob holds ``a.py``, alice has asked for it, bob waits for her ``b.py``."""
    mine, bobs = held(claim(alice, "b.py")), held(claim(bob, "a.py"))
    _, request = alice.post("/requests", {"claim_id": bobs, "wait_seconds": 0})
    _, ticket = claim(bob, "b.py", hold_place_seconds=600)
    return {"mine": mine, "bobs": bobs, "request": request["id"], "ticket": ticket["queue_id"]}


AS_BOB = [
    ("post", "/claims", {"engineer": "bob", "claims": [{"type": "file", "pattern": "c.py"}]}),
    ("delete", "/claims/{mine}?engineer=bob", None),
    ("delete", "/claims/{bobs}?engineer=bob", None),
    ("post", "/claims/release", {"engineer": "bob", "claim_ids": ["{bobs}"]}),
    ("post", "/claims/{bobs}/extend", {"engineer": "bob", "ttl_hours": 9}),
    ("get", "/conflicts?pattern=a.py&engineer=bob", None),
    ("post", "/conflicts/batch", {"patterns": ["a.py"], "engineer": "bob"}),
    ("post", "/requests", {"requester": "bob", "claim_id": "{mine}", "wait_seconds": 0}),
    ("post", "/requests/{request}/respond", {"engineer": "bob", "decision": "approved"}),
    ("delete", "/requests/{ticket}?engineer=bob", None),
]


def filled(value, world):
    if isinstance(value, str):
        return value.format(**world)
    if isinstance(value, list):
        return [filled(one, world) for one in value]
    return {k: filled(v, world) for k, v in value.items()} if isinstance(value, dict) else value


def rows():
    return [
        list(model.objects.order_by("id").values()) for model in (Claim, Ticket, ReleaseRequest)
    ], Event.objects.count()


@pytest.mark.parametrize(("method", "path", "body"), AS_BOB, ids=lambda value: str(value)[:40])
def test_it_refuses_another_name(clock, alice, world, method, path, body):
    before = rows()
    status, answer = alice.call(method, filled(path, world), filled(body, world))
    assert (status, answer["code"]) == (403, "forbidden")
    assert answer["detail"] == "This token is alice's; it cannot act as 'bob'."
    assert answer["next"] == "Send engineer 'alice' or leave it out."
    assert rows() == before


def test_it_fills_an_omitted_name_in(alice, bob, world):
    assert Claim.objects.get(id=world["bobs"]).engineer == "bob"
    assert ReleaseRequest.objects.get().requester_engineer == "alice"
    assert Ticket.objects.get().engineer == "bob"
    assert bob.post(f"/requests/{world['request']}/respond", {"decision": "denied"})[0] == 200
    assert ReleaseRequest.objects.get().decided_by_engineer == "bob"
    assert alice.post(f"/claims/{world['mine']}/extend", {})[0] == 200
    assert alice.get("/conflicts?pattern=b.py")[1]["has_conflicts"] is False
    assert bob.get("/conflicts?pattern=b.py")[1]["has_conflicts"] is True
    assert (
        alice.post("/conflicts/batch", {"patterns": ["a.py", "b.py"]})[1]["conflicts"][0]["engineer"] == "bob"
    )


def test_it_takes_its_own_name(alice):
    assert claim(alice, "a.py", engineer="alice")[0] == 200
    assert claim(alice, "b.py", engineer=" alice ")[0] == 200


def test_an_omitted_name_releases_nothing_of_others(alice, world):
    before = Claim.objects.get(id=world["bobs"])
    assert alice.delete(f"/claims/{world['bobs']}") == (200, {"released": 0})
    assert alice.post("/claims/release", {"claim_ids": [world["bobs"]]}) == (200, {"released": 0})
    assert alice.delete(f"/claims/{world['bobs']}?fence=999") == (200, {"released": 0})
    assert alice.post(f"/claims/{world['bobs']}/extend", {})[0] == 404
    after = Claim.objects.get(id=world["bobs"])
    assert (after.released_at, after.expires_at) == (None, before.expires_at)


def test_only_the_holder_answers(alice, bob, person, world):
    path = f"/requests/{world['request']}/respond"
    for who in (alice, person("carol")):
        status, body = who.post(path, {"decision": "approved"})
        assert (status, body["detail"]) == (403, "Only the holder (bob) may answer this request.")
    assert ReleaseRequest.objects.get().decision == "pending"
    assert bob.post(path, {"decision": "approved"})[0] == 200


def test_only_the_waiter_gives_its_place_up(alice, bob, world):
    path = f"/requests/{world['ticket']}"
    assert alice.delete(path)[1]["cancelled"] is False
    assert alice.get(f"/requests/queue/{world['ticket']}")[0] == 403
    assert bob.delete(path)[1]["cancelled"] is True


def test_a_session_ends_only_for_its_engineer(alice, bob, world):
    assert alice.post("/sessions/session-bob-1/release") == (200, {"released": 0})
    assert Ticket.objects.get().state == "waiting"
    assert bob.post("/sessions/session-bob-1/release") == (200, {"released": 1})


def test_a_foreign_session_is_as_an_unknown_one(clock, alice, bob, config, world):
    config(idle_timeout_sec=100)
    clock.advance(50)
    assert alice.post("/sessions/session-bob-1/heartbeat") == (200, {"ok": True, "renewed": 0, "lost": []})
    assert alice.get("/sessions/session-bob-1/pending_requests") == (200, {"pending": [], "count": 0})
    assert alice.get("/claims?session_id=session-bob-1")[0] == 200
    assert ReleaseRequest.objects.get().notified_at is None
    life = Claim.objects.get(id=world["bobs"]).last_activity
    assert (clock() - life).total_seconds() == 50
    assert bob.post("/sessions/session-bob-1/heartbeat")[1]["renewed"] == 1
    assert Claim.objects.get(id=world["bobs"]).last_activity == clock()


def test_it_claims_nothing_with_anothers_session(alice, bob, world):
    for fields in ({"session_id": "session-bob-1"}, {}):
        headers = {} if fields else {"X_Coord_Session": "session-bob-1"}
        items = [{"type": "file", "pattern": "a.py"}]
        status, body = alice.post("/claims", {"claims": items, **fields}, **headers)
        assert (status, body["detail"]) == (403, "Session 'sessio…' is another engineer's.")
    status, _ = alice.post(
        "/requests", {"claim_id": world["bobs"], "session_id": "session-bob-1", "wait_seconds": 0}
    )
    assert status == 403
    assert Claim.objects.filter(engineer="alice").count() == 1


def test_a_check_does_not_take_anothers_session_for_its_own(alice, world):
    assert alice.get("/conflicts?pattern=a.py&session_id=session-bob-1")[1]["has_conflicts"] is True
    assert alice.get("/conflicts?pattern=a.py", X_Coord_Session="session-bob-1")[1]["has_conflicts"] is True


def test_a_cap_is_not_passed_by_another_name(alice, config):
    config(max_claims_per_engineer=2)
    assert claim(alice, "a.py", "b.py")[0] == 200
    assert claim(alice, "c.py")[0] == 429
    for name in ("alice2", "bob"):
        assert claim(alice, "c.py", engineer=name)[0] == 403
    assert Claim.objects.count() == 2


def test_places_in_line_are_counted_for_the_engineer_not_the_token(person, config, bob):
    config(max_queued_per_party=1)
    held(claim(bob, "a.py", "b.py"))
    first, second = person("alice", session="s-one-long"), person("alice", session="s-two-long")
    assert claim(first, "a.py", hold_place_seconds=60)[0] == 202
    assert claim(second, "b.py", hold_place_seconds=60)[0] == 429


def test_an_operator_may_act_for_anybody(person, world):
    olga = person("olga", role="operator")
    assert olga.post(f"/claims/{world['bobs']}/extend", {"engineer": "bob"})[0] == 200
    assert olga.post(f"/requests/{world['request']}/respond", {"decision": "denied"})[0] == 200
    assert ReleaseRequest.objects.get().decided_by_engineer == "olga"
    assert olga.delete(f"/requests/{world['ticket']}")[1]["cancelled"] is True
    assert olga.delete(f"/claims/{world['bobs']}") == (200, {"released": 1})
    ended = Event.objects.get(event_type="claim_released", claim_id=world["bobs"])
    assert (ended.operator, ended.actor_engineer) == ("olga", "olga")
    assert held(claim(olga, "z.py", engineer="carol"))
    assert Claim.objects.get(pattern="z.py").engineer == "carol"
    assert held(claim(olga, "y.py"))
    assert Claim.objects.get(pattern="y.py").engineer == "olga"


def test_a_token_without_limits_is_no_operator(alice, bob, world):
    """An agent's token that sees every repository still acts for its engineer alone."""
    assert alice.get("/whoami")[1]["repositories"] == []
    assert alice.post("/sessions/session-bob-1/release") == (200, {"released": 0})
    for status, _ in (
        alice.get("/config/ownership"),
        alice.post("/config/ownership", {"modules": {}}),
        alice.post("/metrics/hotspots/promote", {"action": "shared_file", "pattern": "a.py"}),
        alice.get("/webhooks/endpoints"),
        alice.get("/tokens"),
    ):
        assert status == 403


def test_a_retry_after_a_rotation_is_answered_the_same(alice, person):
    key = {"Idempotency_Key": "k-1"}
    body = {"claims": [{"type": "file", "pattern": "a.py"}]}
    first = alice.post("/claims", body, **key)
    assert person("alice", session="session-alice-1").post("/claims", body, **key) == first
    assert Claim.objects.count() == 1
    bound = person("alice", repositories=["org/app"])
    assert bound.post("/claims", body, **key)[1]["claim_ids"] != first[1]["claim_ids"]


def test_the_shared_token_names_anybody(api, world):
    assert api.claim("carol", "q.py")[0] == 200
    assert api.delete(f"/claims/{world['bobs']}?engineer=bob") == (200, {"released": 1})
    status, body = api.get("/conflicts?pattern=a.py")
    assert status == 422
    assert "engineer" in str(body["detail"])
