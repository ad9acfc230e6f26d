"""Writing the event log: the one INSERT, in commit order, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import UUIDField

from common import wakeups
from common.rows import Columns, batches, marks, stored
from webhooks.models import Event
from webhooks.types import NewEvent

ROWS_PER_INSERT = 1000
ORDER_LOCK = 0x636F_6F72_6465_7674
"""PostgreSQL's advisory lock that makes the order of sequence numbers the order of commits."""

COLUMNS = (
    "uid",
    "event_type",
    "repo",
    "actor_engineer",
    "actor_session_id",
    "operator",
    "claim_id",
    "request_id",
    "ticket_id",
    "detail",
    "created_at",
)
_FIELDS = [Event._meta.get_field(name) for name in COLUMNS]
_STORED = Columns(_FIELDS[:-1])  # type: ignore[arg-type]
_ROW = f"({marks(COLUMNS)})"
_TYPED_ROW = _ROW % tuple("%s::uuid" if isinstance(f, UUIDField) else "%s" for f in _FIELDS)
_ORDERED = "WITH ordered AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s)) "
_FROM_ORDERED = "SELECT new.* FROM ordered CROSS JOIN (VALUES %s) AS new"
_INTO = f"INSERT INTO webhooks_event ({', '.join(COLUMNS)}) "
_RETURNING = " RETURNING seq, EXISTS (SELECT 1 FROM webhooks_endpoint)"


def _values(event: NewEvent, database: BaseDatabaseWrapper) -> list[Any]:
    values = (
        uuid.uuid4(),
        str(event.type),
        event.repo,
        event.actor_engineer,
        event.actor_session_id,
        event.operator,
        event.claim_id,
        event.request_id,
        event.ticket_id,
        dict(event.detail),
    )
    return _STORED.prepared(values, database)


def take_order_lock() -> None:
    """Hold the log's order until the transaction ends (on SQLite the write transaction itself does)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ORDER_LOCK])


def insert(
    events: Sequence[NewEvent], moment: datetime, notices: Sequence[Any] = ()
) -> tuple[list[int], bool]:
    """Insert the events; their sequence numbers in the order given, and whether any endpoint exists.

    One statement per 1000 events. On PostgreSQL it takes the log's order first, so the caller's transaction
    takes no further locks afterwards, and sends ``notices`` (parameters of ``wakeups.SEND``).
    """
    numbers: list[int] = []
    receivers = False
    database = connections[DEFAULT_DB_ALIAS]
    at = [stored(moment)]
    with database.cursor() as cursor:
        for chunk in batches(events, ROWS_PER_INSERT):
            values = [value for event in chunk for value in _values(event, database) + at]
            if database.vendor == "postgresql":
                cursor.execute(_ordered_insert(len(chunk), bool(notices)), [ORDER_LOCK, *values, *notices])
                notices = ()
            else:
                cursor.execute(f"{_INTO}VALUES {', '.join([_ROW] * len(chunk))}{_RETURNING}", values)
            rows = sorted(row[:2] for row in cursor.fetchall())
            numbers += [row[0] for row in rows]
            receivers = bool(rows[0][1])
    return numbers, receivers


def _ordered_insert(rows: int, notify: bool) -> str:
    """The insertion as one statement with the lock. Rows come out of the join with the lock's row, and
    sequence numbers are drawn for what comes out: after the lock is held.
    """
    values = ", ".join([_TYPED_ROW] * rows)
    return "".join([_ORDERED, _INTO, _FROM_ORDERED % values, _RETURNING, f", ({wakeups.SEND})" * notify])


def skip_ahead(by: int) -> None:
    """Leave a gap of so many sequence numbers, so that none that was told is told again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_get_serial_sequence('webhooks_event', 'seq')")
            (sequence,) = cursor.fetchone()
            cursor.execute(f"SELECT setval(%s, (SELECT last_value FROM {sequence}) + %s)", [sequence, by])  # noqa: S608
            return
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = 'webhooks_event'", [by])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('webhooks_event', %s)", [by])


def topics_of(repo: str, request_id: object | None = None, ticket_id: object | None = None) -> Iterable[str]:
    """The wake topics of an event."""
    yield wakeups.EVENTS
    yield f"repo:{repo}"
    if request_id is not None:
        yield f"request:{uuid.UUID(str(request_id))}"
    if ticket_id is not None:
        yield f"ticket:{uuid.UUID(str(ticket_id))}"


class OwnNumbers:
    """The sequence numbers that this process committed lately: their waiters are awake already."""

    def __init__(self, size: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._order: deque[int] = deque()
        self._known: set[int] = set()
        self._size = size

    def add(self, numbers: Iterable[int]) -> None:
        """Remember the numbers, and forget the oldest."""
        with self._lock:
            for number in numbers:
                self._order.append(number)
                self._known.add(number)
            while len(self._order) > self._size:
                self._known.discard(self._order.popleft())

    def __contains__(self, number: int) -> bool:
        return number in self._known


own_numbers = OwnNumbers()


class EventLogSource:
    """What the SQLite watcher reads: the topics of events that other processes committed."""

    limit = 5_000

    def position(self) -> int:
        """The last committed sequence number."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM webhooks_event")
            return int(cursor.fetchone()[0])

    def since(self, position: int) -> tuple[int, set[str]]:
        """The new position, and the topics of events after ``position`` that are not this process's own."""
        topics: set[str] = set()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT seq, repo, request_id, ticket_id FROM webhooks_event "
                "WHERE seq > %s ORDER BY seq LIMIT %s",
                [position, self.limit],
            )
            for seq, repo, request_id, ticket_id in cursor.fetchall():
                position = seq
                if seq not in own_numbers:
                    topics.update(topics_of(repo, request_id, ticket_id))
        return position, topics
