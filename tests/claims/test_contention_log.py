"""What becomes of refused requests: one row per item and holder, with its resolution."""

from __future__ import annotations

import pytest

from claims.services import waiting
from claims.services.releasing import release_session
from ownership.models import Contention
from tests.claims.actors import ANYBODY, Actor, look

pytestmark = pytest.mark.django_db
alice, bob, carol = Actor("alice"), Actor("bob"), Actor("carol")


def resolutions():
    return list(Contention.objects.order_by("id").values_list("attempted_by", "resolution"))


def test_a_refusal_is_logged_once_per_item_and_holder(clock):
    alice.hold("a/**")
    carol.hold("b.py")
    bob.ask("a/x.py", "b.py", "c.py")
    rows = Contention.objects.order_by("pattern")
    assert [(row.pattern, row.holder_engineer, row.holder_pattern, row.resolution) for row in rows] == [
        ("a/x.py", "alice", "a/**", ""),
        ("b.py", "carol", "b.py", ""),
    ]
    assert len({row.request_uid for row in rows}) == 1
    assert {(row.repo, row.attempted_session_id) for row in rows} == {("org/app", "session-bob")}


def test_waiting_is_one_attempt_however_often_the_line_is_served(clock):
    held = alice.hold("a.py")
    ticket = bob.queue("a.py")
    assert resolutions() == [("bob", "waited")]
    other = carol.hold("b.py")
    carol.release(other)
    alice.release(held)
    assert look(ticket) == "granted"
    assert resolutions() == [("bob", "granted_later")]


@pytest.mark.parametrize(
    "end",
    [
        lambda ticket, clock: waiting.cancel(ticket, reason="cancelled"),
        lambda ticket, clock: waiting.look(ticket, final=True),
        lambda ticket, clock: release_session("session-bob", ANYBODY),
        lambda ticket, clock: (clock.advance(601), waiting.look(ticket)),
    ],
    ids=["cancelled", "timeout", "session ended", "gone"],
)
def test_a_waiter_that_leaves_gave_up(clock, end):
    alice.hold("a.py")
    end(bob.queue("a.py"), clock)
    assert resolutions() == [("bob", "gave_up")]


def test_checks_are_not_logged(api, clock):
    alice.hold("a.py", repo="")
    assert api.get("/conflicts?pattern=a.py&engineer=bob")[1]["has_conflicts"]
    assert not Contention.objects.exists()
