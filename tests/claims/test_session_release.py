"""POST /sessions/{session_id}/release: everything that a session holds."""

from __future__ import annotations

from claims.models import Claim, ReleaseRequest
from common import metrics
from webhooks.models import Event


def test_it_ends_all_claims_of_the_session_and_no_others(api, clock):
    api.claim("alice", "a.py", "b.py", repo="org/app", session_id="sa")
    api.claim("alice", "c.py", repo="org/other", session_id="sa")
    api.claim("alice", "d.py", repo="org/app", session_id="s2")
    api.claim("alice", "e.py", repo="org/app")
    assert api.post("/sessions/sa/release") == (200, {"released": 3})
    assert sorted(Claim.objects.filter(released_at=None).values_list("pattern", flat=True)) == [
        "d.py",
        "e.py",
    ]
    assert set(Claim.objects.exclude(released_at=None).values_list("end_reason", flat=True)) == {"session"}
    released = Event.objects.filter(event_type="claim_released")
    assert sorted(event.repo for event in released) == ["org/app", "org/app", "org/other"]
    assert {event.actor_session_id for event in released} == {"sa"}


def test_it_can_be_limited_to_a_repository(api, clock):
    api.claim("alice", "a.py", repo="org/app", session_id="sa")
    api.claim("alice", "b.py", repo="org/other", session_id="sa")
    assert api.post("/sessions/sa/release?repo=Org/App") == (200, {"released": 1})
    assert Claim.objects.get(released_at=None).pattern == "b.py"


def test_the_session_may_go_on(api, clock):
    api.claim("alice", "a.py", session_id="sa")
    api.post("/sessions/sa/release")
    assert api.claim("alice", "a.py", session_id="sa")[0] == 200


def test_an_unknown_session_releases_nothing(api, clock):
    api.claim("alice", "a.py", session_id="sa")
    assert api.post("/sessions/nobody/release") == (200, {"released": 0})
    assert api.post("/sessions/sa2/release") == (200, {"released": 0})


def test_a_slash_in_a_session_is_no_route(api, clock):
    assert api.post("/sessions/a/b/release")[0] == 404


def test_open_requests_are_resolved(api, clock):
    _, made = api.claim("alice", "a.py", session_id="sa")
    asked = {"claim_id": made["claim_ids"][0], "requester": "bob", "wait_seconds": 0}
    request_id = api.post("/requests", asked)[1]["id"]
    api.post("/sessions/sa/release")
    assert ReleaseRequest.objects.get(id=request_id).decision == "resolved"
    event = Event.objects.get(event_type="resolved")
    assert event.detail == {"release_kind": "session-bulk", "claim_id": made["claim_ids"][0]}


def test_partners_are_partners_no_more(api, clock):
    for name, symbol in (("alice", "f"), ("bob", "g")):
        item = {"type": "file", "pattern": "a.ts", "symbols": [symbol]}
        api.post("/claims", {"engineer": name, "session_id": f"s-{name}", "claims": [item]})
    api.post("/sessions/s-alice/release")
    (row,) = api.get("/claims")[1]["claims"]
    assert (row["engineer"], row["coexists_with"]) == ("bob", None)


def test_it_is_counted(api, clock):
    api.claim("alice", "a.py", "b.py", session_id="sa")
    before = metrics.REGISTRY.get_sample_value("claims_released_total")
    api.post("/sessions/sa/release")
    assert metrics.REGISTRY.get_sample_value("claims_released_total") == before + 2
