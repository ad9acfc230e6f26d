"""However a scope becomes free, the first in line gets it in that very transaction."""

from __future__ import annotations

import pytest
from actors import ANYBODY

from claims.models import Claim
from claims.services import ending
from claims.services.releasing import release_claims
from common.caller import Caller
from webhooks.models import Event

REPO = "org/app"


@pytest.fixture
def held(api, clock):
    """alice holds ``src/**``."""
    status, body = api.claim("alice", "src/**", session_id="sa", repo=REPO)
    assert status == 200
    return body["claim_ids"][0]


def wait(api, engineer="bob", pattern="src/a.py", **fields):
    status, body = api.claim(
        engineer, pattern, repo=REPO, session_id=f"s-{engineer}", hold_place_seconds=3600, **fields
    )
    assert status == 202, body
    return body["queue_id"]


def pick_up(api, queue_id):
    status, body = api.get(f"/requests/queue/{queue_id}")
    return status, [claim["pattern"] for claim in body["claims"]]


def answered(decision, **fields):
    def free(api, clock, claim_id):
        asked = api.post("/requests", {"claim_id": claim_id, "requester": "carol", "wait_seconds": 0})[1]
        body = {"decision": decision, "session_id": "sa", **fields}
        assert api.post(f"/requests/{asked['id']}/respond", body)[0] == 200

    return free


def released(api, clock, claim_id):
    assert api.post("/claims/release", {"claim_ids": [claim_id], "engineer": "alice"})[1]["released"] == 1


def deleted(api, clock, claim_id):
    assert api.delete(f"/claims/{claim_id}?engineer=alice")[1]["released"] == 1


def session_ended(api, clock, claim_id):
    assert api.post("/sessions/sa/release")[1]["released"] == 1


def released_by_an_operator(api, clock, claim_id):
    operator = Caller(kind="admin", name="olga", operator=True)
    assert len(release_claims([claim_id], operator, reason="stuck")) == 1


def lease_ran_out(api, clock, claim_id):
    assert api.post(f"/claims/{claim_id}/extend", {"engineer": "alice", "ttl_hours": 0.25})[0] == 200
    clock.advance(900)


def went_idle(api, clock, claim_id):
    clock.advance(1800)


def asked_and_silent(api, clock, claim_id):
    api.post("/requests", {"claim_id": claim_id, "requester": "carol", "wait_seconds": 0})
    clock.advance(300)


WAYS = {
    "release": released,
    "DELETE": deleted,
    "session release": session_ended,
    "operator": released_by_an_operator,
    "approval": answered("approved"),
    "narrowing": answered("narrowed", narrowed_pattern="src/lib/**"),
    "end of the lease": lease_ran_out,
    "idle": went_idle,
    "request deadline": asked_and_silent,
}


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_to_the_first_in_line_and_not_to_a_newcomer(api, clock, held, way):
    first, second = wait(api), wait(api, "carol")
    WAYS[way](api, clock, held)
    status, body = api.claim("mallory", "src/a.py", repo=REPO)
    assert status == 409
    assert {entry["kind"] for entry in body["conflicts"]} == {"queued"}
    assert pick_up(api, first) == (200, ["src/a.py"])
    assert api.get(f"/requests/queue/{second}")[0] == 202
    assert list(Claim.objects.filter(engineer="bob").values_list("pattern", flat=True)) == ["src/a.py"]


def test_a_silent_session_makes_way_for_who_only_polls(api, clock, held):
    clock.advance(600)
    api.post("/sessions/sa/heartbeat")
    clock.advance(1200)
    api.post("/sessions/sa/heartbeat")
    queue_id = wait(api)
    clock.advance(1800)
    assert pick_up(api, queue_id) == (200, ["src/a.py"])
    assert Claim.objects.get(id=held).end_reason == "idle"


def test_agreeing_to_coexist_serves_the_requester_who_also_stands_in_line(api, clock, held):
    queue_id = wait(api, "bob", "src/a.py")
    asked = api.post(
        "/requests",
        {"claim_id": held, "requester": "bob", "session_id": "s-bob", "wait_seconds": 0},
    )[1]
    answer = {"decision": "coexist", "session_id": "sa", "coexist_pattern": "src/a.py"}
    status, made = api.post(f"/requests/{asked['id']}/respond", answer)
    assert status == 200
    assert pick_up(api, queue_id) == (200, ["src/a.py"])
    assert api.get(f"/requests/queue/{queue_id}")[1]["claim_ids"] == made["claim_ids"]


def test_a_session_that_ends_leaves_the_line_and_lets_those_behind_forward(api, clock):
    api.claim("alice", "a.py", session_id="sa", repo=REPO)
    first = wait(api, "bob", "[ab].py")
    second = wait(api, "carol", "b.py")
    api.post("/sessions/s-bob/release")
    assert api.get(f"/requests/queue/{first}")[1]["code"] == "cancelled"
    assert pick_up(api, second) == (200, ["b.py"])


def test_a_release_that_releases_nothing_disturbs_nobody(api, clock, held):
    queue_id = wait(api)
    before = Event.objects.count()
    assert api.delete(f"/claims/{held}?engineer=mallory")[1]["released"] == 0
    assert (
        api.post("/claims/release", {"claim_ids": [held, "nope"], "engineer": "mallory"})[1]["released"] == 0
    )
    assert api.post("/sessions/s-mallory/release")[1]["released"] == 0
    assert Event.objects.count() == before
    assert api.get(f"/requests/queue/{queue_id}")[0] == 202


def test_freeing_something_else_leaves_the_line_alone(api, clock, held):
    other = api.claim("carol", "docs/**", repo=REPO)[1]["claim_ids"]
    queue_id = wait(api)
    api.post("/claims/release", {"claim_ids": other})
    assert api.get(f"/requests/queue/{queue_id}")[0] == 202


def test_who_waits_for_two_holders_is_served_when_both_are_done(api, clock):
    one = api.claim("alice", "q/a.py", repo=REPO)[1]["claim_ids"]
    two = api.claim("carol", "q/b.py", repo=REPO)[1]["claim_ids"]
    queue_id = wait(api, "bob", "q/**")
    assert release_claims(one, ANYBODY)
    status, body = api.get(f"/requests/queue/{queue_id}")
    assert (status, body["holder"]) == (202, "carol")
    assert release_claims(two, ANYBODY)
    assert pick_up(api, queue_id) == (200, ["q/**"])


def test_a_sweep_serves_the_line_when_nobody_calls(api, clock, held):
    queue_id = wait(api)
    clock.advance(1800)
    assert ending.sweep() == 1
    offer = Event.objects.get(event_type="queue_offer")
    assert str(offer.ticket_id) == queue_id
