"""What an overview shows of claims and release requests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from actors import ANYBODY, Actor

from claims.models import Claim
from claims.selectors import overview
from claims.services.requests import Answer, Ask, file_request, respond
from common.filters import Filter

pytestmark = pytest.mark.django_db
ALL = Filter()


def hour(moment):
    return moment.strftime("%Y-%m-%d %H")


def test_it_counts_what_is_live_by_time_whether_swept_or_not(clock, config):
    config(idle_timeout_sec=0)
    Actor("alice", "org/app").hold("a.py", ttl_hours=1)
    Actor("bob", "org/app").hold("b.py", ttl_hours=2)
    Actor("carol", "").hold("c.py", ttl_hours=2)
    assert overview.active_by_repository(ALL, clock()) == {"org/app": 2, "": 1}
    clock.advance(3601)
    assert overview.active_by_repository(ALL, clock()) == {"org/app": 1, "": 1}
    assert overview.active_by_repository(Filter(engineer="bob"), clock()) == {"org/app": 1}


def test_it_lists_the_contended_claims_before_those_that_end_next(clock):
    late = Actor("alice").hold("late.py", ttl_hours=8).claims[0]
    soon = Actor("bob").hold("soon.py", ttl_hours=1).claims[0]
    mid = Actor("carol").hold("mid.py", ttl_hours=4).claims[0]

    def listed(limit, first=()):
        return [claim.id for claim in overview.active_claims(ALL, clock(), first=first, limit=limit)]

    assert listed(10) == [soon.id, mid.id, late.id]
    assert listed(2, first=[late.id]) == [late.id, soon.id]
    assert listed(10, first=["unknown"]) == [soon.id, mid.id, late.id]


def test_it_lists_open_requests_before_answered_ones(clock):
    claims = [Actor("alice").hold(f"{n}.py").claims[0] for n in range(3)]
    asked = []
    for claim in claims:
        clock.advance(60)
        asked.append(file_request(Ask(claim.id, Actor("bob").party), ANYBODY))
    respond(asked[1].id, Answer("denied", engineer="alice"), ANYBODY)
    found = overview.requests_seen(ALL, since=clock() - timedelta(hours=1), limit=10)
    assert [request.id for request in found] == [asked[0].id, asked[2].id, asked[1].id]
    recent = overview.requests_seen(ALL, since=clock() + timedelta(hours=1), limit=10)
    assert [request.id for request in recent] == [asked[0].id, asked[2].id]
    assert overview.requests_seen(Filter(engineer="carol"), since=clock(), limit=10) == []


def test_it_ranks_modules_by_their_first_segment(clock):
    Actor("alice").hold("src/a.py", "src/b.py")
    Actor("bob").hold("src/c.py", "docs/x.md", "README.md")
    found = overview.top_modules(ALL, since=clock() - timedelta(hours=1), limit=2)
    assert found == [overview.Module("src", 3, 2), overview.Module(overview.TOP, 1, 1)]


def test_it_tells_what_goes_on_in_each_repository(clock):
    Actor("alice", "org/old").hold("a.py", ttl_hours=1)
    clock.advance(25 * 3600)
    Actor("bob", "org/app").hold("a.py", "b.py")
    made = overview.claims_made(ALL, since=clock() - timedelta(hours=24))
    rows = overview.repository_rows(ALL, overview.active_by_repository(ALL, clock()), made, limit=10)
    assert [(row.name, row.active, row.claims_24h, row.engineers_24h) for row in rows] == [
        ("org/app", 2, 2, 1),
        ("org/old", 0, 0, 0),
    ]
    assert rows[0].last_activity == clock()


def test_it_counts_beginnings_and_ends_by_hour(clock, config):
    config(idle_timeout_sec=0)
    began = clock()
    outcome = Actor("alice").hold("a.py", "b.py", ttl_hours=1)
    Actor("bob").hold("c.py", ttl_hours=8)
    clock.advance(1800)
    Claim.objects.filter(id=outcome.claims[0].id).update(released_at=clock(), end_reason="released")
    clock.advance(3600)
    starts, ends = overview.claims_by_hour(ALL, since=began, now=clock())
    assert starts == {hour(began): 3}
    assert ends == {hour(began): 1, hour(began + timedelta(hours=1)): 1}


def test_it_counts_partners_of_both_sides(clock):
    one = Actor("alice").hold("a.py", symbols=["A::x"]).claims[0]
    two = Actor("bob").hold("a.py", symbols=["A::y"]).claims[0]
    Actor("carol").hold("b.py")
    assert overview.partners_by_claim([one.id, two.id]) == {one.id: 1, two.id: 1}
