"""Hours and days are those of UTC and the same on every engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection
from django.db.models import Count

from common.buckets import Day, Hour
from webhooks.models import Event

pytestmark = pytest.mark.django_db
MOMENTS = (
    datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 11, 23, 0, 0, tzinfo=UTC),
    datetime(2026, 11, 23, 0, 59, 59, 1, tzinfo=UTC),
    datetime(2026, 11, 23, 2, 30, tzinfo=timezone(timedelta(hours=2))),
    datetime(2026, 12, 31, 23, 0, tzinfo=UTC),
)


@pytest.fixture
def events(db):
    Event.objects.bulk_create([Event(event_type="claim_granted", created_at=at) for at in MOMENTS])


def counted(bucket):
    rows = Event.objects.order_by().values_list(bucket("created_at")).annotate(n=Count("seq"))
    return dict(rows)


def test_hours(events):
    assert counted(Hour) == {"2026-11-22 23": 1, "2026-11-23 00": 3, "2026-12-31 23": 1}


def test_days(events):
    assert counted(Day) == {"2026-11-22": 1, "2026-11-23": 3, "2026-12-31": 1}


def test_the_connections_own_time_zone_does_not_matter(events):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL TIME ZONE 'America/St_Johns'")
    assert counted(Day) == {"2026-11-22": 1, "2026-11-23": 3, "2026-12-31": 1}
