"""A moment in a statement written by hand is what Django would store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from common.rows import moment, stored

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    [NOON, NOON + timedelta(microseconds=50), NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))],
)
def test_it_is_stored_as_django_stores_it_and_read_back(at):
    assert stored(at) == connection.ops.adapt_datetimefield_value(at)
    assert moment(stored(at)) == at
