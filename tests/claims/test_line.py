"""Standing in line: order, whole requests, newcomers, offers, deadlock."""

from __future__ import annotations

import pytest
from actors import ANYBODY, Actor, look

from claims import parking
from claims.models import Claim
from claims.services import ending, requests, waiting
from claims.services.releasing import release_claims
from claims.services.requests import Answer, Ask
from queueing.models import Ticket
from webhooks.models import Event

alice, bob, carol, dave = (Actor(name) for name in ("alice", "bob", "carol", "dave"))


@pytest.fixture(autouse=True)
def _database(db, clock):
    return clock


def live(engineer: str) -> list[str]:
    rows = Claim.objects.filter(engineer=engineer, released_at__isnull=True)
    return sorted(rows.values_list("pattern", flat=True))


def test_it_serves_waiters_in_order_each_once():
    held = alice.hold("a.py")
    first, second = bob.queue("a.py"), carol.queue("a.py")
    assert alice.release(held) == 1
    assert look(second) == "waiting"
    assert look(first) == "granted"
    assert live("bob") == ["a.py"]
    assert look(second) == "waiting"
    bobs = waiting.look(first).outcome
    bob.release(bobs)
    assert look(second) == "granted"
    assert live("carol") == ["a.py"]


def test_a_granted_ticket_answers_the_same_however_often_it_is_asked():
    held = alice.hold("a.py")
    ticket = bob.queue("a.py")
    alice.release(held)
    first, again = waiting.look(ticket), waiting.look(ticket)
    assert [c.id for c in first.outcome.claims] == [c.id for c in again.outcome.claims]
    assert Claim.objects.filter(engineer="bob").count() == 1


def test_it_grants_all_items_or_none():
    a, b = alice.hold("q/a"), carol.hold("q/b")
    ticket = bob.queue("q/a", "q/b")
    alice.release(a)
    assert Ticket.objects.get(id=ticket).state == "waiting", "not even offered"
    assert look(ticket) == "waiting"
    assert live("bob") == []
    carol.release(b)
    assert look(ticket) == "granted"
    assert live("bob") == ["q/a", "q/b"]


def test_it_serves_by_urgency_then_arrival(clock):
    held = alice.hold("a.py")
    low, normal = bob.queue("a.py", urgency="low"), carol.queue("a.py")
    blocking = dave.queue("a.py", urgency="blocking")
    alice.release(held)
    assert (look(blocking), look(normal), look(low)) == ("granted", "waiting", "waiting")


@pytest.mark.parametrize(("seconds", "first"), [(60, "high"), (60.001, "normal")])
def test_a_ticket_older_than_the_boost_counts_one_level_higher(clock, seconds, first):
    held = alice.hold("a.py")
    old = {"normal": bob.queue("a.py", hold=600)}
    low = carol.queue("a.py", urgency="low", hold=600)
    clock.advance(seconds)
    waiters = {**old, "high": dave.queue("a.py", urgency="high")}
    alice.release(held)
    states = {name: look(ticket) for name, ticket in waiters.items()}
    assert {name for name, state in states.items() if state == "granted"} == {first}
    assert look(low) == "waiting"


def test_ageing_is_nothing_to_wait_for_in_a_line_of_one_urgency():
    alice.hold("a.py")
    bob.queue("a.py", hold=600)
    carol.queue("a.py", hold=600)
    assert parking._Lot()._settle({"org/app"}) == [1200]
    dave.queue("a.py", urgency="low", hold=600)
    assert parking._Lot()._settle({"org/app"}) == [60.001]


def test_ageing_serves_at_the_moment_at_which_it_changes_the_order(clock):
    """bob, who came first, stands behind carol's urgent request for more; alice keeps her from having it."""
    alice.hold("a.py")
    held = dave.hold("b.py")
    older = bob.queue("b.py", hold=600)
    clock.advance(1)
    urgent = carol.queue("a.py", "b.py", urgency="high", hold=600)
    dave.release(held)
    keeper = parking._Lot()
    clock.advance(58.5)
    assert keeper._settle({"org/app"}) == [0.501]
    assert look(older) == "waiting"
    clock.advance(0.501)
    keeper._settle({"org/app"})
    assert Ticket.objects.get(id=older).state == "offered"
    assert look(urgent) == "waiting"


def test_a_newcomer_cannot_take_what_a_waiter_is_next_for():
    held = alice.hold("a.py", "b.py")
    ticket = bob.queue("a.py")
    alice.release(held)
    outcome = carol.ask("a.py")
    assert not outcome.granted
    assert [behind.ticket.id for behind in outcome.behind] == [ticket]
    assert carol.ask("b.py").granted
    assert look(ticket) == "granted"


def test_a_place_reserves_the_whole_request_but_not_against_whom_it_waits_for():
    alice.hold("a.py")
    bob.queue("a.py", "b.py")
    assert not carol.ask("b.py").granted
    assert alice.ask("b.py").granted


def test_one_walk_serves_as_many_as_fit():
    held = alice.hold("src/**")
    one, two, clash = bob.queue("src/b.py"), carol.queue("src/c.py"), dave.queue("src/*.py")
    alice.release(held)
    assert (look(one), look(two), look(clash)) == ("granted", "granted", "waiting")


def test_an_offer_that_is_not_picked_up_passes_to_the_next(clock):
    held = alice.hold("a.py")
    first, second = bob.queue("a.py", hold=600), carol.queue("a.py", hold=600)
    alice.release(held)
    clock.advance(15)
    ending.settle("org/app")
    assert Ticket.objects.get(id=first).end_reason == "offer_lapsed"
    assert look(second) == "granted"
    assert live("bob") == []


def test_a_vanished_waiter_is_never_granted(clock):
    held = alice.hold("a.py")
    ticket = bob.queue("a.py")
    clock.advance(21)
    alice.release(held)
    assert look(ticket) == "expired"
    assert carol.ask("a.py").granted
    assert Claim.objects.filter(engineer="bob").count() == 0


@pytest.mark.parametrize(("seconds", "idle"), [(3600, 0), (1800, 1800)])
def test_a_lease_that_ends_serves_the_line(clock, config, seconds, idle):
    config(idle_timeout_sec=idle)
    alice.hold("a.py", ttl_hours=1 if not idle else 4)
    clock.advance(seconds - 10)
    ticket = bob.queue("a.py")
    clock.advance(10)
    ending.settle("org/app")
    assert look(ticket) == "granted"


def test_releasing_as_somebody_else_disturbs_nobody():
    held = alice.hold("a.py")
    ticket = bob.queue("a.py")
    assert carol.release(held) == 0
    assert look(ticket) == "waiting"
    assert live("alice") == ["a.py"]


def test_a_closing_cycle_is_refused_and_named():
    alice.hold("a.py")
    bob.hold("b.py")
    alice.queue("b.py")
    outcome = bob.ask("a.py", wait=60)
    assert outcome.ticket is None
    assert [(link.waiter.engineer, link.blocker.engineer, link.pattern) for link in outcome.cycle] == [
        ("bob", "alice", "a.py"),
        ("alice", "bob", "b.py"),
    ]


def test_a_cycle_of_three_across_repositories_is_found():
    one, two, three = Actor("one", "r/1"), Actor("two", "r/2"), Actor("three", "r/3")
    one.hold("x")
    two.hold("x")
    three.hold("x")
    one.queue("x", repo="r/2")
    two.queue("x", repo="r/3")
    outcome = three.ask("x", repo="r/1", wait=60)
    assert [link.waiter.engineer for link in outcome.cycle] == ["three", "one", "two"]


def test_a_queue_without_a_cycle_is_no_deadlock():
    alice.hold("a.py")
    bob.hold("b.py")
    bob.queue("a.py")
    assert carol.queue("b.py")
    assert carol.queue("a.py")


def test_cancelling_serves_those_behind():
    held = alice.hold("a.py")
    first, second = bob.queue("a.py"), carol.queue("a.py")
    alice.release(held)
    assert waiting.cancel(first, reason="cancelled")
    assert look(second) == "granted"
    assert not waiting.cancel(first, reason="cancelled")


def test_a_wait_that_is_over_serves_those_behind():
    alice.hold("a.py")
    first, second = bob.queue("a.py", "b.py"), carol.queue("b.py")
    assert look(first, final=True) == "expired"
    assert Ticket.objects.get(id=second).state == "offered"


def test_a_vanished_waiter_keeps_nobody_behind_it(clock):
    """Whatever is released next, be it something else, serves who stood behind it."""
    alice.hold("a.py")
    other = alice.hold("else.py")
    bob.queue("a.py", "b.py")
    second = carol.queue("b.py", hold=600)
    clock.advance(21)
    alice.release(other)
    assert Ticket.objects.get(id=second).state == "offered"


def test_overtaking_is_bounded(config):
    config(queue_max_overtakes=2)
    holder, held = alice, alice.hold("a.py")
    patient = bob.queue("a.py")
    for name in ("eve", "fay"):
        hasty = Actor(name)
        ticket = hasty.queue("a.py", urgency="blocking")
        holder.release(held)
        look_ = waiting.look(ticket)
        assert look_.state == "granted"
        holder, held = hasty, look_.outcome
    ticket = Actor("gil").queue("a.py", urgency="blocking")
    holder.release(held)
    assert (look(patient), look(ticket)) == ("granted", "waiting")


def test_newcomers_that_pass_are_counted_too(config):
    config(queue_max_overtakes=2)
    alice.hold("a.py")
    patient = bob.queue("a.py", "b.py")
    for name in ("eve", "fay"):
        hasty = Actor(name)
        hasty.release(hasty.hold("b.py", urgency="blocking"))
    outcome = carol.ask("b.py", urgency="blocking")
    assert [behind.ticket.id for behind in outcome.behind] == [patient]


def test_every_step_is_an_event():
    held = alice.hold("a.py")
    ticket = bob.queue("a.py")
    alice.release(held)
    look(ticket)
    kinds = list(Event.objects.order_by("seq").values_list("event_type", flat=True))
    assert kinds == [
        "claim_granted",
        "queue_enqueue",
        "claim_released",
        "queue_offer",
        "claim_granted",
        "queue_grant",
    ]


def test_an_offer_stands_against_a_more_urgent_newcomer():
    held = alice.hold("a.py")
    ticket = bob.queue("a.py")
    alice.release(held)
    urgent = carol.queue("a.py", urgency="blocking")
    ending.settle("org/app")
    assert Ticket.objects.get(id=urgent).state == "waiting"
    assert look(ticket) == "granted"
    assert look(urgent) == "waiting"


def test_an_offer_whose_ground_is_gone_goes_back_in_line():
    """dave was to come in beside alice, as agreed; the claim that the agreement rests on ended meanwhile."""
    held = alice.hold("src/**")
    request = requests.file_request(Ask(held.claims[0].id, dave.party), ANYBODY)
    requests.respond(request.id, Answer("coexist", "alice", coexist_pattern="src/a.py"), ANYBODY)
    other = bob.hold("b.py")
    ticket = dave.queue("src/a.py", "b.py")
    bob.release(other)
    assert Ticket.objects.get(id=ticket).state == "offered"
    partner = Claim.objects.get(engineer="dave")
    release_claims([partner.id], ANYBODY)
    assert look(ticket) == "waiting"
    assert Event.objects.get(event_type="queue_withdraw").ticket_id is not None
    alice.release(held)
    assert look(ticket) == "granted"
