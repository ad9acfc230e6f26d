"""DELETE /claims/{claim_id}: release one."""

from __future__ import annotations

import pytest

from claims.models import Claim
from common import metrics
from webhooks.models import Event


def held(api, *patterns: str, **fields: object) -> str:
    return api.claim("alice", *patterns, **fields)[1]["claim_ids"][0]


def test_it_releases_and_the_scope_is_free(api, clock):
    claim_id = held(api, "a.py")
    clock.advance(5)
    assert api.delete(f"/claims/{claim_id}?engineer=alice") == (200, {"released": 1})
    claim = Claim.objects.get()
    assert claim.end_reason == "released"
    assert (claim.released_at - claim.created_at).total_seconds() == 5
    assert api.claim("bob", "a.py")[0] == 200


def test_it_records_who_released_what(api, clock):
    claim_id = held(api, "a.py", repo="org/app", session_id="sa")
    api.delete(f"/claims/{claim_id}?engineer=alice")
    event = Event.objects.order_by("-seq").first()
    assert (event.event_type, event.repo, str(event.claim_id)) == ("claim_released", "org/app", claim_id)
    assert event.actor_engineer == "alice"
    assert event.detail == {
        "claim_id": claim_id,
        "engineer": "alice",
        "pattern": "a.py",
        "fence": 1,
        "end_reason": "released",
    }


def test_without_engineer_it_releases_whoever_holds_it(api, clock):
    assert api.delete(f"/claims/{held(api, 'a.py')}") == (200, {"released": 1})


@pytest.mark.parametrize("query", ["?engineer=mallory", "?engineer=Alice", "?engineer=alic"])
def test_another_engineers_name_releases_nothing(api, clock, query):
    claim_id = held(api, "a.py")
    events = Event.objects.count()
    assert api.delete(f"/claims/{claim_id}{query}") == (200, {"released": 0})
    assert Claim.objects.get().released_at is None
    assert Event.objects.count() == events


def test_an_unknown_or_ended_claim_releases_nothing(api, clock):
    assert api.delete("/claims/nope") == (200, {"released": 0})
    claim_id = held(api, "a.py")
    api.delete(f"/claims/{claim_id}")
    before = Event.objects.count()
    clock.advance(9)
    assert api.delete(f"/claims/{claim_id}") == (200, {"released": 0})
    assert Event.objects.count() == before
    assert Claim.objects.get().released_at == Claim.objects.get().created_at


def test_a_stale_fence_is_refused_and_the_right_one_is_not(api, clock):
    claim_id = held(api, "a.py")
    status, body = api.delete(f"/claims/{claim_id}?engineer=alice&fence=7")
    assert status == 409
    assert body["code"] == "stale_fence"
    assert body["detail"] == f"Claim {claim_id} has fence 1, not 7."
    assert Claim.objects.get().released_at is None
    assert api.delete(f"/claims/{claim_id}?fence=1") == (200, {"released": 1})


@pytest.mark.parametrize("fence", ["x", "1.5"])
def test_a_fence_is_a_number(api, clock, fence):
    status, body = api.delete(f"/claims/{held(api, 'a.py')}?fence={fence}")
    assert status == 422
    assert body["detail"][0]["loc"] == ["query", "fence"]


def test_it_is_counted(api, clock):
    before = metrics.REGISTRY.get_sample_value("claims_released_total")
    api.delete(f"/claims/{held(api, 'a.py')}")
    assert metrics.REGISTRY.get_sample_value("claims_released_total") == before + 1


def test_it_needs_a_token(api, clock):
    claim_id = held(api, "a.py")
    api.headers = {}
    assert api.delete(f"/claims/{claim_id}")[0] == 401
    assert Claim.objects.get().released_at is None
