"""Who waits for whom, for an overview."""

from __future__ import annotations

import pytest
from actors import Actor

from claims.selectors.lines import lines
from claims.services import waiting
from common.filters import Filter

pytestmark = pytest.mark.django_db


def test_it_shows_the_true_order_with_what_stands_in_the_way(clock):
    held = Actor("alice").hold("src/**", type="module")
    clock.advance(10)
    bob = Actor("bob").queue("src/a.py")
    carol = Actor("carol").queue("src/b.py")
    dmitri = Actor("dmitri").queue("src/a.py", urgency="high")
    [line] = lines(Filter(), clock(), most=20)
    assert (line.repo, line.depth) == ("org/app", 3)
    assert [waiter.ticket.id for waiter in line.waiters] == [dmitri, bob, carol]
    assert [(waiter.number, waiter.position) for waiter in line.waiters] == [(1, 1), (2, 2), (3, 1)]
    for waiter in line.waiters:
        assert [holder.id for holder in waiter.blockers] == [held.claims[0].id]
        assert waiter.until == held.claims[0].expires_at
    assert [ticket.id for ticket in line.waiters[1].behind] == [dmitri]


def test_it_puts_first_whom_an_operator_put_first(clock):
    Actor("alice").hold("src/a.py")
    bob, carol = Actor("bob").queue("src/a.py"), Actor("carol").queue("src/a.py")
    waiting.move_to_front(carol, operator="olivia", reason="release day")
    [line] = lines(Filter(), clock(), most=20)
    assert [waiter.ticket.id for waiter in line.waiters] == [carol, bob]


def test_it_leaves_out_waiters_that_are_gone(clock):
    Actor("alice").hold("src/a.py", ttl_hours=5)
    Actor("bob").queue("src/a.py", wait=30)
    clock.advance(31)
    assert lines(Filter(), clock(), most=20) == []


def test_it_shows_the_longest_lines_and_cuts_each(clock):
    for repo, depth in (("org/long", 6), ("org/short", 1)):
        Actor("alice", repo).hold("a.py")
        for n in range(depth):
            Actor(f"waiter{n}", repo).queue("a.py")
    found = lines(Filter(), clock(), most=4)
    assert [(line.repo, line.depth, len(line.waiters)) for line in found] == [
        ("org/long", 6, 2),
        ("org/short", 1, 1),
    ]
    assert [line.repo for line in lines(Filter(repo="org/short"), clock(), most=4)] == ["org/short"]


def test_it_asks_a_bounded_number_of_queries(clock, django_assert_max_num_queries):
    Actor("alice").hold("a.py")
    for n in range(30):
        Actor(f"waiter{n}").queue("a.py")
    with django_assert_max_num_queries(4 + 2 * 20):
        [line] = lines(Filter(), clock(), most=20)
    assert (line.depth, len(line.waiters)) == (30, 20)
