"""A long line: what it costs to read, and that an answer names only its head."""

from __future__ import annotations

import pytest
from actors import Actor, look
from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims import places
from claims.parties import Party, Roll
from claims.services import waiting
from queueing.models import Ticket
from webhooks.models import Event

alice, bob, carol = (Actor(name) for name in ("alice", "bob", "carol"))
LENGTH = 60


@pytest.fixture(autouse=True)
def _database(db, clock):
    return clock


def waiters(*patterns: str) -> list[str]:
    """Sixty who wait, the n-th for these patterns with ``{n}`` filled in."""
    return [
        Actor(f"w{n:02}").queue(*(pattern.format(n=n) for pattern in patterns), wait=0, hold=3600)
        for n in range(LENGTH)
    ]


def queries(call) -> int:
    with CaptureQueriesContext(connection) as seen:
        call()
    return len(seen)


def test_a_refusal_names_its_head_and_the_place_counts_all():
    alice.hold("a.py")
    waiters("a.py")
    outcome = bob.ask("a.py")
    assert len(outcome.behind) == 50
    assert [behind.position for behind in outcome.behind] == list(range(1, 51))
    assert outcome.behind[0].ticket.party == Party("w00", "session-w00")
    assert bob.ask("a.py", hold=60).position == LENGTH + 1


def test_a_request_is_parsed_once_however_often_its_line_is_read(monkeypatch):
    alice.hold("a.py")
    waiters("a.py")
    bob.ask("b.py")
    monkeypatch.setattr(places, "read_items", lambda *args, **kwargs: pytest.fail("parsed again"))
    assert bob.ask("c.py").granted
    assert len(bob.ask("a.py").behind) == 50


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(places, "MOST_KEPT_ITEMS", 10)
    alice.hold("a.py")
    ids = waiters("a.py", "b{n}.py")
    assert bob.ask("a.py", hold=60).position == LENGTH + 1
    assert len(places._kept) <= 5
    assert waiting.present_refusal(Ticket.objects.get(id=ids[-1]), bob.ask("x.py").now).position == LENGTH


def test_a_ticket_reads_the_same_whichever_reading_parsed_it():
    """Moved to the front, passed over, left behind: what changes is read each time."""
    held = alice.hold("a.py")
    first, second = bob.queue("a.py"), carol.queue("a.py")
    waiting.move_to_front(second, operator="olga", reason="now")
    alice.release(held)
    assert (look(first), look(second)) == ("waiting", "granted")


def test_the_cost_of_a_claim_does_not_grow_with_the_line():
    alice.hold("a.py")
    bob.hold("known.py")
    bob.queue("a.py")
    short = queries(lambda: carol.ask("a.py", hold=600))
    waiters("a.py")
    Actor("dave").ask("a.py")
    assert queries(lambda: Actor("erin").ask("a.py", hold=600)) <= short


def test_whom_half_the_line_waits_for_may_still_ask_for_more():
    """The search from alice finds all sixty by what she holds, in as many steps as one."""
    alice.hold("a.py")
    bob.hold("b.py")
    waiters("a.py", "c{n}.py")
    few = queries(lambda: alice.ask("b.py", hold=60))
    assert few < LENGTH
    assert alice.ask("c7.py").granted, "w07 waits for alice, so she may pass it"


def test_one_walk_serves_all_that_fit_in_order():
    held = alice.hold("src/**")
    ids = waiters("src/{n}/a.py")
    alice.release(held)
    offers = Event.objects.filter(event_type="queue_offer").order_by("seq")
    assert [str(event.ticket_id) for event in offers] == ids
    assert {look(ticket) for ticket in ids} == {"granted"}


def test_a_walk_asks_once_about_a_claim_that_is_in_everybodys_way():
    alice.hold("src/**")
    held = carol.hold("docs/**")
    waiters("src/{n}/a.py", "docs/{n}.md")
    cost = queries(lambda: carol.release(held))
    assert cost < LENGTH
    assert not Ticket.objects.filter(state="offered").exists()


def test_a_roll_counts_parties_as_they_are_told_apart():
    roll = Roll()
    for name in (("alice", "s1"), ("alice", "s2"), ("alice", None), ("bob", "s3")):
        roll.add(*name)
    assert roll.count(Party("alice", "s1")) == 2
    assert roll.count(Party("alice")) == 3
    assert roll.count(Party("carol", "s3")) == 1
    assert roll.count(Party("carol")) == 0
