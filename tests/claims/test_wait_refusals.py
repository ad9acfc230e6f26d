"""What a waiter is told when it is not granted: why, who holds now, where it stood."""

from __future__ import annotations

import pytest
from django.db import transaction

from claims import parking
from claims.models import Claim, StoredAnswer
from claims.services import waiting
from ownership.models import Contention
from queueing.models import Ticket


@pytest.fixture
def held(api, clock):
    return api.claim("alice", "a.py", "b.py", session_id="sa")[1]["claim_ids"]


@pytest.mark.django_db(transaction=True)
def test_a_wait_that_is_over_says_so_with_the_present_holder(api, clock, held, monkeypatch):
    """While bob waits, alice releases and carol, who is more urgent, gets it."""
    look = waiting.look

    def meanwhile(ticket_id, *, final=False):
        if final and Claim.objects.filter(engineer="carol").count() == 0:
            place = api.claim("carol", "a.py", hold_place_seconds=60, urgency="blocking")[1]["queue_id"]
            api.post("/claims/release", {"claim_ids": held})
            assert api.get(f"/requests/queue/{place}")[0] == 200
        return look(ticket_id, final=final)

    monkeypatch.setattr(parking.waiting, "look", meanwhile)
    status, body = api.claim("bob", "a.py", "b.py", session_id="sb", wait_seconds=1)
    assert status == 409
    assert (body["code"], body["reason"], body["position"]) == ("timeout", "timeout", 1)
    assert [entry["conflicting_claim"]["engineer"] for entry in body["conflicts"]] == ["carol"]
    assert body["retryable"] is True
    assert Ticket.objects.get(id=body["queue_id"]).state == "expired"
    assert not Claim.objects.filter(engineer="bob").exists()
    assert set(Contention.objects.filter(attempted_by="bob").values_list("resolution", flat=True)) == {
        "gave_up"
    }


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_wait_says_so(api, clock, held, monkeypatch):
    look_for_news = waiting.look_for_news

    def cancelled(ticket_id):
        assert api.delete(f"/requests/{ticket_id}")[1]["cancelled"]
        return look_for_news(ticket_id)

    monkeypatch.setattr(parking.waiting, "look_for_news", cancelled)
    status, body = api.claim("bob", "a.py", wait_seconds=60)
    assert (status, body["code"], body["reason"]) == (409, "cancelled", "cancelled")
    assert body["queue_id"]
    assert body["conflicts"][0]["conflicting_claim"]["engineer"] == "alice"


@pytest.mark.django_db(transaction=True)
def test_a_release_at_the_last_moment_is_a_grant(api, clock, held, monkeypatch):
    """What is offered when the time is up is picked up, never refused."""
    look = waiting.look

    def at_the_deadline(ticket_id, *, final=False):
        if final:
            with transaction.atomic():
                api.post("/claims/release", {"claim_ids": held})
        return look(ticket_id, final=final)

    monkeypatch.setattr(parking.waiting, "look", at_the_deadline)
    status, body = api.claim("bob", "a.py", "b.py", wait_seconds=1)
    assert status == 200
    assert len(body["claim_ids"]) == 2
    assert Claim.objects.filter(engineer="bob", released_at=None).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_waiter_who_leaves_while_it_is_granted_gives_it_back(api, clock, held, monkeypatch):
    """The grant was made, its answer could not be: nobody holds what it was never told of."""
    mine = api.claim("bob", "mine.py", session_id="sb")[1]["claim_ids"]

    async def gone(ticket_id, repo, seconds, answer, *, abandon):
        def leave():
            api.post("/claims/release", {"claim_ids": held})
            assert answer(waiting.look(ticket_id)).status == 200
            assert Claim.objects.filter(engineer="bob", released_at=None).count() == 3
            abandon()
            raise RuntimeError("the client is gone")

        await parking.lane(leave)

    monkeypatch.setattr(parking, "wait_for_grant", gone)
    items = [{"type": "file", "pattern": p} for p in ("mine.py", "a.py", "b.py")]
    api.post(
        "/claims",
        {"engineer": "bob", "session_id": "sb", "claims": items, "wait_seconds": 60},
        Idempotency_Key="once",
    )
    assert [claim.id for claim in Claim.objects.filter(engineer="bob", released_at=None)] == mine
    assert not StoredAnswer.objects.exists()
    assert api.claim("carol", "a.py", "b.py")[0] == 200


def test_a_closing_cycle_is_refused_at_once_and_says_what_to_release(api, clock):
    mine = api.claim("bob", "b.py", session_id="session-bob")[1]["claim_ids"][0]
    theirs = api.claim("alice", "a.py", session_id="session-alice")[1]["claim_ids"][0]
    assert api.claim("alice", "b.py", session_id="session-alice", hold_place_seconds=60)[0] == 202
    status, body = api.claim("bob", "a.py", session_id="session-bob", wait_seconds=600)
    assert (status, body["code"], body["retryable"]) == (409, "deadlock", False)
    links = [
        (link["engineer"], link["waits_for"], link["held_by"], link["claim_id"]) for link in body["cycle"]
    ]
    assert links == [("bob", "a.py", "alice", theirs), ("alice", "b.py", "bob", mine)]
    assert all(link["session"].endswith("…") for link in body["cycle"])
    assert body["release_first"] == mine
    assert mine in body["next"]
    assert Ticket.objects.count() == 1


def test_a_cycle_through_the_order_of_the_line_alone_is_none(api, clock):
    """alice stands behind bob, who waits for carol, who wants what alice holds: alice passes bob."""
    api.claim("carol", "z.py", session_id="sc")
    api.claim("alice", "x.py", session_id="sa")
    other = api.claim("dave", "y.py", session_id="sd")[1]["claim_ids"]
    api.claim("bob", "y.py", "z.py", session_id="sb", hold_place_seconds=600)
    behind = api.claim("alice", "y.py", session_id="sa", hold_place_seconds=600)[1]["queue_id"]
    assert api.claim("carol", "x.py", session_id="sc", hold_place_seconds=600)[0] == 202
    api.post("/claims/release", {"claim_ids": other})
    assert api.get(f"/requests/queue/{behind}")[0] == 200


def test_a_party_that_waits_lets_whom_it_waits_for_go_first(api, clock):
    """Granting alice ``s.py`` first would leave alice and bob waiting for each other."""
    api.claim("bob", "h.py", session_id="sb")
    holder = api.claim("carol", "s.py", session_id="sc")[1]["claim_ids"]
    early = api.claim("alice", "s.py", session_id="sa", hold_place_seconds=600)[1]["queue_id"]
    assert api.claim("alice", "h.py", session_id="sa", hold_place_seconds=600)[0] == 202
    late = api.claim("bob", "s.py", session_id="sb", hold_place_seconds=600)[1]["queue_id"]
    api.post("/claims/release", {"claim_ids": holder})
    assert api.get(f"/requests/queue/{early}")[0] == 202
    assert api.get(f"/requests/queue/{late}")[0] == 200
    status, body = api.claim("alice", "s.py", session_id="sa", urgency="blocking", wait_seconds=1)
    assert (status, body["code"]) == (409, "timeout")
