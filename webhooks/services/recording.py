"""Recording events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction

from common import clock, wakeups
from webhooks import log
from webhooks.services import outbox
from webhooks.types import NewEvent

_gathering = threading.local()


@contextmanager
def gathered() -> Iterator[None]:
    """Write all events that the block records in one statement, at its end, in the order recorded.

    So a transaction that tells of several changes locks the log last. Blocks nest: the outermost writes.
    When the block raises, nothing is written.
    """
    if getattr(_gathering, "events", None) is not None:
        yield
        return
    gathered_events: list[NewEvent] = []
    _gathering.events = gathered_events
    try:
        yield
    finally:
        _gathering.events = None
    record(*gathered_events)


def record(*events: NewEvent) -> list[int]:
    """Write the events, and an outbox row for each receiver, with the change they tell of.

    Inside the change's transaction (``RuntimeError`` otherwise), as its last step: on PostgreSQL it takes
    the lock that orders the log, and nothing else may be locked after it. One query for any number of
    events while no receiver exists. After commit it wakes ``events``, ``repo:<name>``, ``request:<id>``
    and ``ticket:<id>`` of each event, in every process, and queues the delivery. Returns the sequence
    numbers in the order given; none inside :func:`gathered`, where they are not known yet.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() is called inside the transaction of the change that it tells of")
    if not events:
        return []
    waiting: list[NewEvent] | None = getattr(_gathering, "events", None)
    if waiting is not None:
        waiting.extend(events)
        return []
    moment = clock.now()
    topics = (t for event in events for t in log.topics_of(event.repo, event.request_id, event.ticket_id))
    numbers, receivers = log.insert(events, moment, wakeups.publish_by(*topics))
    transaction.on_commit(lambda: log.own_numbers.add(numbers))
    if receivers or settings.COORD.webhook_url:
        outbox.enqueue(list(zip(numbers, events, strict=True)), moment)
    return numbers
