"""What became of refused requests."""

from __future__ import annotations

import pytest
from actors import ANYBODY, Actor

from claims.models import Claim
from claims.selectors.refusals import Became, recent_refusals
from claims.services import waiting
from claims.services.ending import sweep
from claims.services.releasing import release_claims
from common.filters import Filter

pytestmark = pytest.mark.django_db


def became(clock):
    return [row.became for row in recent_refusals(Filter(), clock(), limit=10)]


def test_it_is_blocked_while_the_holder_holds(clock):
    held = Actor("alice").hold("src/a.py")
    Actor("bob").ask("src/a.py")
    assert became(clock) == [Became.BLOCKED]
    Actor("alice").release(held)
    assert became(clock) == [Became.FREE]


def test_it_waits_then_is_granted_or_gives_up(clock):
    held = Actor("alice").hold("src/a.py")
    bob, carol = Actor("bob").queue("src/a.py"), Actor("carol").queue("src/a.py")
    assert set(became(clock)) == {Became.WAITING}
    waiting.cancel(carol, reason="cancelled")
    Actor("alice").release(held)
    waiting.look(bob)
    found = {row.attempted_by: row.became for row in recent_refusals(Filter(), clock(), limit=10)}
    assert found == {"bob": Became.GRANTED, "carol": Became.GAVE_UP}


@pytest.mark.parametrize("swept", [False, True])
def test_it_tells_a_lease_that_ran_out_from_silence(clock, config, swept):
    config(idle_timeout_sec=3600)
    Actor("alice").hold("src/short.py", ttl_hours=0.5)
    Actor("bob").hold("src/silent.py", ttl_hours=10)
    Actor("carol").ask("src/short.py")
    Actor("dmitri").ask("src/silent.py")
    clock.advance(1801)
    assert became(clock) == [Became.BLOCKED, Became.EXPIRED]
    clock.advance(1800)
    if swept:
        sweep()
    assert became(clock) == [Became.IDLE, Became.EXPIRED]


def test_it_says_when_the_claim_is_no_longer_kept(clock):
    Actor("alice").hold("src/a.py")
    Actor("bob").ask("src/a.py")
    Claim.objects.all().delete()
    assert became(clock) == [Became.UNKNOWN]


def test_it_shows_one_row_per_request_and_the_one_that_still_blocks(clock):
    one = Actor("alice").hold("src/a.py")
    Actor("carol").hold("src/b.py")
    Actor("bob").ask("src/**", type="module")
    release_claims([one.claims[0].id], ANYBODY)
    [row] = recent_refusals(Filter(), clock(), limit=10)
    assert (row.became, row.holder_engineer, row.more) == (Became.BLOCKED, "carol", 1)


def test_it_asks_two_queries(clock, django_assert_num_queries):
    Actor("alice").hold("src/**", type="module")
    for n in range(12):
        Actor("bob").ask(f"src/{n}.py")
    with django_assert_num_queries(2):
        assert len(recent_refusals(Filter(), clock(), limit=10)) == 10
