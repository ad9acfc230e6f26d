"""POST /claims/{claim_id}/extend: a new lease from now."""

from __future__ import annotations

import pytest

from claims.models import Claim
from webhooks.models import Event


@pytest.fixture
def claim_id(api, clock) -> str:
    return api.claim("alice", "a.py", session_id="sa", ttl_hours=4)[1]["claim_ids"][0]


def extend(api, claim_id: str, **body: object) -> tuple[int, dict]:
    return api.post(f"/claims/{claim_id}/extend", {"engineer": "alice", **body})


def test_it_sets_the_lease_from_now(api, clock, claim_id):
    clock.advance(1200)
    status, body = extend(api, claim_id, ttl_hours=10)
    assert status == 200
    assert body == {"ok": True, "expires_at": "2026-11-23T22:20:00Z", "fence": 1, "ttl_shortened": 0}
    assert api.get(f"/claims/{claim_id}")[1]["expires_at"] == "2026-11-23T22:20:00Z"
    event = Event.objects.order_by("-seq").first()
    assert (event.event_type, event.actor_engineer, event.actor_session_id) == (
        "claim_extended",
        "alice",
        "sa",
    )
    assert event.detail["expires_at"] == "2026-11-23T22:20:00Z"


def test_it_is_two_hours_unless_said_and_may_shorten(api, clock, claim_id):
    assert extend(api, claim_id)[1]["expires_at"] == "2026-11-23T14:00:00Z"
    assert extend(api, claim_id, ttl_hours=0.5)[1]["expires_at"] == "2026-11-23T12:30:00Z"


def test_a_shared_file_has_the_shared_lease_at_most(api, clock):
    body = {"engineer": "alice", "claims": [{"type": "shared_file", "pattern": "go.mod"}]}
    claim_id = api.post("/claims", body)[1]["claim_ids"][0]
    assert extend(api, claim_id, ttl_hours=9)[1]["expires_at"] == "2026-11-23T14:00:00Z"
    assert extend(api, claim_id, ttl_hours=1)[1]["expires_at"] == "2026-11-23T13:00:00Z"


@pytest.mark.parametrize("who", ["bob", "Alice", "ali"])
def test_it_is_the_holders_alone(api, clock, claim_id, who):
    status, body = extend(api, claim_id, engineer=who)
    assert status == 404
    assert body["detail"] == "Claim not found or not owned"
    assert body["code"] == "not_found"
    assert api.get(f"/claims/{claim_id}")[1]["expires_at"] == "2026-11-23T16:00:00Z"


def test_an_unknown_claim_is_a_404(api, clock):
    assert extend(api, "nope")[0] == 404


def test_a_released_claim_is_a_404(api, clock, claim_id):
    api.delete(f"/claims/{claim_id}")
    assert extend(api, claim_id)[0] == 404
    assert Claim.objects.get().end_reason == "released"


def test_a_lease_that_ran_out_is_not_revived(api, clock, claim_id):
    clock.advance(4 * 3600)
    status, body = extend(api, claim_id, ttl_hours=10)
    assert status == 404
    assert "claim the scope again" in body["next"]
    assert api.claim("bob", "a.py")[0] == 200


def test_a_session_that_fell_silent_is_not_revived(api, clock, claim_id, config):
    config(idle_timeout_sec=600)
    clock.advance(600)
    assert extend(api, claim_id)[0] == 404
    assert api.claim("bob", "a.py")[0] == 200
    assert Claim.objects.get(id=claim_id).end_reason == "idle"


def test_extending_is_a_sign_of_life(api, clock, claim_id, config):
    config(idle_timeout_sec=600)
    for _ in range(5):
        clock.advance(500)
        assert extend(api, claim_id, ttl_hours=4)[0] == 200
    assert api.claim("bob", "a.py")[0] == 409


def test_a_stale_fence_is_refused(api, clock, claim_id):
    status, body = extend(api, claim_id, fence=2)
    assert (status, body["code"]) == (409, "stale_fence")
    assert extend(api, claim_id, fence=1)[0] == 200


@pytest.mark.parametrize("hours", [-1, 0, 0.01, 721, 10**9, "nan", "inf", True, None, "x"])
def test_a_lease_out_of_bounds_is_a_422_and_changes_nothing(api, clock, claim_id, hours):
    status, body = extend(api, claim_id, ttl_hours=hours)
    assert status == 422
    assert body["detail"][0]["loc"] == ["body", "ttl_hours"]
    assert api.get(f"/claims/{claim_id}")[1]["expires_at"] == "2026-11-23T16:00:00Z"


def test_it_needs_an_engineer(api, clock, claim_id):
    assert api.post(f"/claims/{claim_id}/extend", {})[0] == 422
    assert api.post(f"/claims/{claim_id}/extend", {"engineer": " "})[0] == 422
