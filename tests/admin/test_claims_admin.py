"""Claims in admin: the list, the story, release, extend, transfer."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from claims.models import Claim, ReleaseRequest
from common import clock as time_source
from tests.admin.conftest import visible_text
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def newest_event(kind):
    return Event.objects.filter(event_type=kind).latest("seq")


def test_it_lists_live_claims_first_and_ended_ones_when_asked(olga, api, held):
    ended = api.claim("bob", "docs/a.md", repo="org/app")[1]["claim_ids"][0]
    api.delete(f"/claims/{ended}")
    live = olga.page("claims/claim/")
    assert "src/**" in live
    assert "docs/a.md" not in live
    everything = olga.page("claims/claim/?state=all")
    assert "docs/a.md" in everything
    assert "src/**" in everything
    assert "src/**" not in olga.page("claims/claim/?state=ended")


def test_it_finds_by_engineer_pattern_and_whole_session(olga, held):
    for text in ("alice", "src/", "alice-session-1", held):
        assert "src/**" in olga.page(f"claims/claim/?q={text}")
    assert "src/**" not in olga.page("claims/claim/?q=nobody")


def test_it_asks_before_it_releases_and_wants_a_reason(olga, held):
    said = olga.client.post(
        "/admin/claims/claim/", {"action": "release", "_selected_action": [held], "confirmed": "1"}
    )
    assert "This field is required" in said.content.decode()
    assert Claim.objects.get(id=held).released_at is None


def test_it_releases_with_the_operators_name_and_reason(olga, api, held):
    assert olga.act("claims/claim", "release", held, reason="alice is on leave") == ["Release: 1 row."]
    claim = Claim.objects.get(id=held)
    assert claim.end_reason == "operator"
    event = newest_event("claim_released")
    assert (event.operator, event.detail["reason"]) == ("olga", "alice is on leave")
    lost = api.get("/sessions/alice-session-1/pending_requests")[1]["pending"]
    assert [entry["kind"] for entry in lost] == ["lease-lost"]


def test_it_says_when_a_claim_has_ended_already(olga, api, held):
    api.delete(f"/claims/{held}")
    [said] = olga.act("claims/claim", "release", held, reason="late")
    assert "has ended already" in said


def test_it_extends_from_now(olga, clock, held):
    olga.act("claims/claim", "extend", held, hours="10", reason="a long migration")
    assert Claim.objects.get(id=held).expires_at == time_source.now() + timedelta(hours=10)
    event = newest_event("claim_extended")
    assert (event.operator, event.detail["reason"]) == ("olga", "a long migration")


def test_it_hands_a_claim_over_under_a_new_fence(olga, api, held):
    old = Claim.objects.get(id=held)
    olga.act("claims/claim", "transfer", held, engineer="bob", session_id="bob-1", reason="alice left")
    new = Claim.objects.get(released_at__isnull=True)
    assert (new.engineer, new.session_id, new.pattern) == ("bob", "bob-1", "src/**")
    assert new.fence > old.fence
    assert new.expires_at == old.expires_at
    assert Claim.objects.get(id=held).end_reason == "handed"
    moved, granted = newest_event("claim_transferred"), newest_event("claim_granted")
    assert (moved.operator, moved.detail["reason"]) == ("olga", "alice left")
    assert (granted.operator, granted.detail["transferred_from"]) == ("olga", held)
    stale = api.post("/claims/release", {"claim_ids": [new.id], "fences": {new.id: old.fence}})
    assert stale[0] == 409
    lost = api.get("/sessions/alice-session-1/pending_requests")[1]["pending"]
    assert [entry["kind"] for entry in lost] == ["lease-lost"]


def test_it_refuses_to_hand_over_what_overlaps_what_the_holder_keeps(olga, api, held):
    inner = api.claim("alice", "src/a.py", repo="org/app", session_id="alice-session-1")[1]["claim_ids"][0]
    [said] = olga.act("claims/claim", "transfer", inner, engineer="bob", reason="split the work")
    assert "also holds 'src/**'" in said
    assert set(Claim.objects.filter(released_at__isnull=True).values_list("engineer", flat=True)) == {"alice"}


def test_it_keeps_partners_when_a_claim_is_handed_over(olga, api, held):
    status, _ = api.post(
        "/claims",
        {
            "engineer": "carol",
            "session_id": "carol-1",
            "repo": "org/app",
            "claims": [{"type": "file", "pattern": "src/a.py", "symbols": ["f"]}],
        },
    )
    assert status == 200
    olga.act("claims/claim", "transfer", held, engineer="bob", reason="alice left")
    holders = Claim.objects.filter(released_at__isnull=True).values_list("engineer", "pattern")
    assert sorted(holders) == [("bob", "src/**"), ("carol", "src/a.py")]


def test_it_serves_the_line_after_a_release(olga, api, held):
    status, waiting = api.claim("bob", "src/a.py", repo="org/app", hold_place_seconds=600)
    assert status == 202
    olga.act("claims/claim", "release", held, reason="gone")
    status, body = api.get(f"/requests/queue/{waiting['queue_id']}")
    assert status == 200
    assert Claim.objects.get(id=body["claim_ids"][0]).engineer == "bob"


def test_it_tells_a_claims_whole_story(olga, api, held):
    api.claim("bob", "src/a.py", repo="org/app", hold_place_seconds=600)
    api.post("/requests", {"claim_id": held, "requester": "carol", "reason": "hotfix", "wait_seconds": 0})
    text = visible_text(olga.page(f"claims/claim/{held}/change/"))
    for part in ("Waiting for it", "bob", "src/a.py", "carol", "hotfix", "claim_granted", "filed"):
        assert part in text
    assert re.search(r"Created at: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", text)


def test_it_lets_a_viewer_look_and_nothing_else(vera, held):
    assert "src/**" in vera.page("claims/claim/")
    page = vera.page(f"claims/claim/{held}/change/")
    assert "row-actions" not in page
    vera.client.post(
        "/admin/claims/claim/",
        {"action": "release", "_selected_action": [held], "confirmed": "1", "reason": "no"},
    )
    assert Claim.objects.get(id=held).released_at is None


def test_it_reads_a_page_with_a_fixed_number_of_queries(olga, api, django_assert_max_num_queries):
    for n in range(30):
        api.claim(f"e{n}", f"lib/{n}.py", repo="org/app")
    with django_assert_max_num_queries(12):
        olga.page("claims/claim/")


def test_it_answers_a_request_in_the_holders_place(olga, api, held):
    asked = api.post("/requests", {"claim_id": held, "requester": "bob", "wait_seconds": 0})[1]
    assert "bob" in olga.page("claims/releaserequest/")
    said = olga.act("claims/releaserequest", "answer", asked["id"], decision="approved", note="bob first")
    assert said == ["Answer: 1 row."]
    request = ReleaseRequest.objects.get(id=asked["id"])
    assert (request.decision, request.note) == ("approved", "bob first")
    assert Claim.objects.get(id=held).end_reason == "approved"
    assert newest_event("responded").operator == "olga"


def test_it_wants_the_pattern_that_an_answer_needs(olga, api, held):
    asked = api.post("/requests", {"claim_id": held, "requester": "bob", "wait_seconds": 0})[1]
    chosen = {"action": "answer", "_selected_action": [asked["id"]], "confirmed": "1"}
    page = olga.client.post(
        "/admin/claims/releaserequest/", {**chosen, "decision": "narrowed", "note": "keep a part"}
    )
    assert "narrowed needs a pattern" in page.content.decode()
    assert ReleaseRequest.objects.get(id=asked["id"]).decision == "pending"
