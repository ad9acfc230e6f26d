"""The outbox: rows for receivers, and the nudge that starts a delivery."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django_q.tasks import async_task

from common import clock, wakeups
from webhooks.models import Delivery, Endpoint
from webhooks.services.environment import ensure_environment
from webhooks.types import EventType, NewEvent

log = logging.getLogger("coord.webhooks")

NUDGE = timedelta(seconds=30)
"""How long a queued delivery task is trusted to come before another one is queued."""
ROWS = 60
"""Outbox rows per INSERT: SQLite allows 999 values in a statement."""
DELIVERIES = "deliveries"
"""Wake topic: an outbox row changed its state."""


def wants(endpoint: Endpoint, event_type: str, repo: str) -> bool:
    """Whether the endpoint's filters let the event through."""
    if event_type == EventType.ENDPOINT_TEST:
        return False
    return (not endpoint.event_types or event_type in endpoint.event_types) and (
        not endpoint.repositories or repo in endpoint.repositories
    )


def enqueue(events: Sequence[tuple[int, NewEvent]], moment: datetime) -> None:
    """Write one outbox row per event and endpoint that wants it (paused ones too), and nudge delivery."""
    endpoints = ensure_environment(list(Endpoint.objects.all()), moment)
    rows = [
        new_row(endpoint.id, seq, moment)
        for endpoint in endpoints
        for seq, event in events
        if wants(endpoint, event.type, event.repo)
    ]
    insert_rows(rows)


def new_row(endpoint: UUID, seq: int, moment: datetime, kind: str = Delivery.Kind.EVENT) -> Delivery:
    """An unsaved outbox row that is due at once."""
    return Delivery(endpoint_id=endpoint, event_id=seq, kind=kind, next_attempt_at=moment, created_at=moment)


def insert_rows(rows: Sequence[Delivery]) -> None:
    """Save outbox rows and nudge their endpoints. Inside the change's transaction."""
    if rows:
        Delivery.objects.bulk_create(rows, batch_size=ROWS)
        nudge({row.endpoint_id for row in rows})


def nudge(endpoints: Iterable[UUID]) -> int:
    """On commit queue a delivery task for the endpoints that none is on its way to; how many those are.

    A compare-and-set per endpoint: any number of callers at once queue one task.
    """
    moment = clock.now()
    idle = Q(nudged_until=None) | Q(nudged_until__lte=moment)
    ours = [
        str(endpoint)
        for endpoint in sorted(endpoints)
        if Endpoint.objects.filter(idle, pk=endpoint).update(nudged_until=moment + NUDGE)
    ]
    if ours:
        # Not robust against a crash in between, and need not be: due rows are looked for by time as well.
        transaction.on_commit(lambda: _queue(ours), robust=True)
    return len(ours)


def _queue(endpoints: list[str]) -> None:
    async_task("webhooks.tasks.deliver", endpoints, task_name="deliver")  # type: ignore[no-untyped-call]


def announce() -> None:
    """Wake whoever watches deliveries. Inside or outside a transaction."""
    wakeups.publish(DELIVERIES)
