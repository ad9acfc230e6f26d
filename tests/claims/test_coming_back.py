"""A waiter whose serving process stops keeps its place for a short while, and takes it up by asking again."""

from __future__ import annotations

import pytest
from actors import Actor, look
from django.db import OperationalError

from claims.api.views import claiming
from claims.models import Claim
from claims.services import waiting
from queueing.models import LEFT, Ticket
from webhooks.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def in_line():
    """Alice holds; bob and then carol wait for the same file."""
    alice, bob, carol = Actor("alice"), Actor("bob"), Actor("carol")
    held = alice.hold("a.py")
    return alice, bob, carol, held, bob.queue("a.py"), carol.queue("a.py")


def test_it_takes_up_the_place_it_had():
    alice, bob, _, held, first, second = in_line()
    waiting.leave(first)
    again = bob.ask("a.py", wait=60)
    assert (again.ticket.id, again.position) == (first, 1)
    assert again.ticket.server != LEFT
    alice.release(held)
    assert look(first) == "granted"
    assert look(second) == "waiting"


def test_it_finds_the_offer_that_came_meanwhile():
    alice, bob, _, held, first, second = in_line()
    waiting.leave(first)
    alice.release(held)
    outcome = bob.ask("a.py", wait=60)
    assert outcome.granted
    assert Ticket.objects.get(id=first).state == "granted"
    assert look(second) == "waiting"
    assert Event.objects.filter(event_type="queue_grant", ticket_id=first).count() == 1


def test_it_does_not_keep_others_waiting_for_long(clock):
    alice, _, carol, held, first, _ = in_line()
    second = carol.queue("a.py", "b.py", hold=600)
    waiting.leave(first)
    clock.advance(31)
    alice.release(held)
    assert look(second) == "granted"
    assert look(first) == "expired"


def test_it_is_a_new_place_for_another_request_or_party():
    _, bob, carol, _, first, _ = in_line()
    waiting.leave(first)
    assert bob.queue("a.py", "b.py") != first
    assert Actor("carol", "org/other").hold("a.py")
    assert carol.queue("a.py") != first


def test_it_leaves_a_served_place_alone():
    _, bob, _, _, first, _ = in_line()
    assert bob.queue("a.py") != first


def granted_while_away(api, clock):
    """Bob was granted what he waited for, by a process that he does not hear from any more."""
    alice, bob = Actor("alice"), Actor("bob")
    held = alice.hold("a.py")
    ticket = bob.queue("a.py")
    alice.release(held)
    assert look(ticket) == "granted"
    clock.advance(1)
    return bob, ticket


def test_it_gives_back_what_nobody_was_told_of(api, clock):
    _, ticket = granted_while_away(api, clock)
    waiting.abandon(ticket)
    assert not Claim.objects.filter(released_at=None).exists()


def test_it_keeps_what_the_session_asked_for_again(api, clock):
    bob, ticket = granted_while_away(api, clock)
    assert bob.ask("a.py").granted
    waiting.abandon(ticket)
    assert Claim.objects.get(released_at=None).engineer == "bob"


BODY = {
    "engineer": "bob",
    "session_id": "session-bob",
    "repo": "org/app",
    "claims": [{"type": "file", "pattern": "a.py"}],
    "wait_seconds": 60,
}


def called(monkeypatch, api):
    """Bob's call with a key, up to the moment at which it parks; its ``Call`` and ticket."""
    seen = []

    async def leave(queue_id, *given, **named):
        seen.append(queue_id)
        raise OperationalError("the process stops here")

    original = claiming.abandon
    calls = []
    monkeypatch.setattr(claiming.parking, "wait_for_grant", leave)
    monkeypatch.setattr(claiming, "finish", lambda call, answer: answer)
    once = claiming.answer_once
    monkeypatch.setattr(claiming, "answer_once", lambda call, act: calls.append(call) or once(call, act))
    status, _ = api.post("/claims", BODY, Idempotency_Key="k1")
    assert status == 503
    return calls[0], seen[0], original


def test_it_tells_a_retry_and_then_takes_nothing_back(api, clock, monkeypatch):
    held = Actor("alice").hold("a.py")
    call, ticket, abandon = called(monkeypatch, api)
    Actor("alice").release(held)
    assert look(ticket) == "granted"
    status, body = api.post("/claims", BODY, Idempotency_Key="k1")
    assert status == 200
    abandon(call, ticket)
    assert [claim.id for claim in Claim.objects.filter(released_at=None)] == body["claim_ids"]
    assert api.post("/claims", BODY, Idempotency_Key="k1")[1] == body


def test_it_takes_back_first_and_then_claims_anew(api, clock, monkeypatch):
    held = Actor("alice").hold("a.py")
    call, ticket, abandon = called(monkeypatch, api)
    Actor("alice").release(held)
    assert look(ticket) == "granted"
    abandon(call, ticket)
    status, body = api.post("/claims", BODY, Idempotency_Key="k1")
    assert status == 200
    assert body["claim_ids"] != Ticket.objects.get(id=ticket).result["claim_ids"]


def test_it_answers_a_retry_with_the_place_that_was_left(api, clock, monkeypatch):
    Actor("alice").hold("a.py")
    _, ticket, _ = called(monkeypatch, api)
    assert api.post("/claims", BODY, Idempotency_Key="k1")[1]["code"] == "in_flight"
    waiting.leave(ticket)
    assert api.post("/claims", BODY, Idempotency_Key="k1")[0] == 503, "parked again"
    assert Ticket.objects.get().server != LEFT
