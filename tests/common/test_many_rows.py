"""The date hierarchy of long lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from common.admin import ManyRows
from webhooks.models import Event

DAYS = st.lists(st.integers(0, 1500), max_size=12)


class TestDates(TestCase):
    @given(days=DAYS, kind=st.sampled_from(["year", "month", "day"]))
    @settings(max_examples=40, deadline=None)
    def test_it_finds_what_django_finds(self, days, kind):
        began = datetime(2023, 11, 29, 23, 59, 59, tzinfo=UTC)
        Event.objects.bulk_create(
            Event(event_type="claim_granted", created_at=began + timedelta(days=day)) for day in days
        )
        asked = ("created_at", kind)
        assert list(ManyRows(Event).datetimes(*asked)) == list(Event.objects.datetimes(*asked))


@pytest.mark.django_db
def test_it_finds_nothing_in_an_empty_list():
    assert ManyRows(Event).datetimes("created_at", "day") == []
