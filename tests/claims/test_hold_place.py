"""A place in line that outlives the call: ``hold_place_seconds`` and ``GET /requests/queue/{queue_id}``."""

from __future__ import annotations

import pytest

from claims.models import Claim
from claims.services import ending
from queueing.models import Ticket
from webhooks.models import Event


@pytest.fixture
def held(api, clock):
    return api.claim("alice", "a.py", session_id="sa")[1]["claim_ids"]


def hold(api, engineer="bob", seconds=600, **fields):
    return api.claim(engineer, "a.py", session_id=f"s-{engineer}", hold_place_seconds=seconds, **fields)


def test_it_answers_202_with_the_place(api, held):
    status, body = hold(api)
    assert status == 202
    assert Ticket.objects.get(id=body["queue_id"]).state == "waiting"
    assert body["position"] == 1
    assert body["holder"].startswith("alice (s")
    assert body["eta_s"] == 4 * 3600
    assert body["poll_after_s"] == 0
    assert body["expires_at"] == "2026-11-23T12:10:00Z"
    assert body["conflicts"][0]["conflicting_claim"]["engineer"] == "alice"
    assert hold(api, "carol")[1]["position"] == 2


def test_polling_picks_the_offer_up_and_answers_the_same_again(api, held):
    queue_id = hold(api)[1]["queue_id"]
    assert api.get(f"/requests/queue/{queue_id}")[0] == 202
    api.post("/claims/release", {"claim_ids": held})
    first, again = api.get(f"/requests/queue/{queue_id}"), api.get(f"/requests/queue/{queue_id}?wait=1")
    assert first[0] == 200
    assert first == again
    assert Claim.objects.filter(engineer="bob").count() == 1
    assert api.claim("bob", "a.py", session_id="s-bob")[1]["claim_ids"] == first[1]["claim_ids"]


def test_an_offer_not_picked_up_in_time_passes_on(api, held, clock, config):
    config(offer_seconds=30)
    first, second = hold(api)[1]["queue_id"], hold(api, "carol")[1]["queue_id"]
    api.post("/claims/release", {"claim_ids": held})
    clock.advance(29)
    status, body = api.get(f"/requests/queue/{second}")
    assert (status, body["holder"][:5], body["position"]) == (202, "bob (", 2)
    clock.advance(1)
    assert api.get(f"/requests/queue/{second}")[0] == 200
    status, body = api.get(f"/requests/queue/{first}")
    assert (status, body["code"], body["reason"]) == (409, "cancelled", "offer_lapsed")
    assert body["conflicts"][0]["conflicting_claim"]["engineer"] == "carol"


def test_a_place_is_held_for_its_time_and_no_longer(api, held, clock):
    queue_id = hold(api, seconds=100)[1]["queue_id"]
    clock.advance(99)
    assert api.get(f"/requests/queue/{queue_id}")[0] == 202
    clock.advance(1)
    ending.settle("")
    status, body = api.get(f"/requests/queue/{queue_id}")
    assert (status, body["code"], body["reason"], body["queue_id"]) == (409, "timeout", "timeout", queue_id)
    api.post("/claims/release", {"claim_ids": held})
    assert api.claim("carol", "a.py")[0] == 200


def test_a_short_wait_keeps_the_place_afterwards(api, held):
    status, body = hold(api, wait_seconds=1)
    assert status == 202
    assert Ticket.objects.get(id=body["queue_id"]).state == "waiting"


def test_polling_is_a_sign_of_life(api, held, clock):
    mine = api.claim("bob", "mine.py", session_id="s-bob")[1]["claim_ids"]
    queue_id = hold(api, seconds=3600)[1]["queue_id"]
    for _ in range(3):
        clock.advance(1000)
        api.post("/sessions/sa/heartbeat")
        assert api.get(f"/requests/queue/{queue_id}")[0] == 202
    assert Claim.objects.get(id=mine[0]).released_at is None


def test_only_its_owner_polls_and_cancels_it(api, held, person):
    mallory, bob = person("mallory"), person("bob")
    queue_id = bob.claim("bob", "a.py", hold_place_seconds=600)[1]["queue_id"]
    assert mallory.get(f"/requests/queue/{queue_id}")[0] == 403
    assert mallory.delete(f"/requests/{queue_id}")[1]["cancelled"] is False
    assert api.delete(f"/requests/{queue_id}?engineer=mallory")[1]["cancelled"] is False
    assert api.get("/requests/queue/nope")[0] == 404
    assert bob.delete(f"/requests/{queue_id}")[1] == {"ok": True, "cancelled": True, "queue_id": queue_id}
    assert bob.delete(f"/requests/{queue_id}")[1]["cancelled"] is False
    status, body = bob.get(f"/requests/queue/{queue_id}")
    assert (status, body["code"], body["reason"]) == (409, "cancelled", "cancelled")
    assert Event.objects.filter(event_type="queue_cancel").count() == 1


@pytest.mark.parametrize("field", ["wait_seconds", "hold_place_seconds"])
@pytest.mark.parametrize("value", [-1, 3601, 1.5, "soon", True])
def test_its_bounds_are_checked(api, held, field, value):
    status, body = api.claim("bob", "a.py", **{field: value})
    assert status == 422
    assert body["detail"][0]["loc"] == ["body", field]


def test_a_grant_over_the_limit_of_claims_ends_the_wait(api, held, config):
    config(max_claims_per_engineer=1)
    queue_id = hold(api)[1]["queue_id"]
    assert api.claim("bob", "b.py", session_id="s-bob")[0] == 200
    api.post("/claims/release", {"claim_ids": held})
    status, body = api.get(f"/requests/queue/{queue_id}")
    assert (status, body["reason"]) == (409, "limit")
    assert api.claim("carol", "a.py")[0] == 200
