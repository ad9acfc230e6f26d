"""All writes of the event log and the outbox."""

from __future__ import annotations

from django.db import connection, transaction

from common import clock, wakeups
from webhooks import log
from webhooks.types import NewEvent


def record(*events: NewEvent) -> list[int]:
    """Write the events, and an outbox row for each receiver, with the change they tell of.

    Inside the change's transaction (``RuntimeError`` otherwise), as its last step: on PostgreSQL it takes
    the lock that orders the log, and nothing else may be locked after it. One query for any number of
    events while no receiver exists. After commit wakes ``events``, ``repo:<name>``, ``request:<id>`` and
    ``ticket:<id>`` of each event, in every process. Returns the sequence numbers in the order given.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() is called inside the transaction of the change that it tells of")
    if not events:
        return []
    numbers, _receivers = log.insert(events, clock.now())
    transaction.on_commit(lambda: log.own_numbers.add(numbers))
    wakeups.publish(
        *(topic for event in events for topic in log.topics_of(event.repo, event.request_id, event.ticket_id))
    )
    return numbers
