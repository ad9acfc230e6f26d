"""After a restore fences and event numbers are above all that were ever given."""

from __future__ import annotations

import pytest

from claims.services.restoring import LEAP, leap_ahead
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def fence(api, repo, path):
    status, body = api.claim("alice", path, repo=repo)
    assert status == 200
    return body["claims"][0]["fence"]


def test_it_leaps_in_every_repository_and_in_new_ones(api, clock):
    fence(api, "org/app", "a.py")
    floor = leap_ahead()
    assert floor > LEAP
    assert fence(api, "org/app", "b.py") > LEAP
    assert fence(api, "org/new", "a.py") > LEAP


def test_it_leaps_again_each_time(api, clock):
    leap_ahead()
    first = [fence(api, "org/app", "a.py"), fence(api, "org/other", "a.py")]
    leap_ahead()
    assert fence(api, "org/app", "b.py") > max(first) + LEAP // 2
    assert fence(api, "org/new", "a.py") > max(first) + LEAP // 2


@pytest.mark.parametrize("events_before", [True, False])
def test_it_leaps_in_the_event_log(api, clock, events_before):
    if events_before:
        fence(api, "org/app", "a.py")
    leap_ahead()
    fence(api, "org/app", "b.py")
    assert Event.objects.latest("seq").seq > LEAP
