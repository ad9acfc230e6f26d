"""The repository lock: the only way to change claims or tickets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from claims.models import Claim, Repository, Restore
from common import clock
from common.rows import stored
from ownership.selectors import NEWEST
from queueing.models import Ticket
from webhooks.services import gathered


@dataclass(slots=True)
class Locked:
    """A repository under lock, and what was true of it when the lock was taken.

    ``now`` is the one moment that every decision under this lock uses. ``due`` tells whether leases
    have run out and wait to be closed; ``line`` whether anybody stands in line. ``revision`` is the
    ownership document in force, as :func:`ownership.selectors.rules_of` takes it.
    """

    id: int
    name: str
    case_insensitive: bool
    now: datetime
    due: bool
    line: bool
    _counter: int
    _reserved: int
    revision: Sequence[Any] = (None, None)

    def next_number(self) -> int:
        """The next number of the repository's counter: a fence, or a place in line."""
        self.reserve(1)
        self._reserved -= 1
        return self._counter - self._reserved

    def reserve(self, numbers: int) -> None:
        """Draw so many numbers at once, unless they are drawn already."""
        if self._reserved < numbers:
            with connection.cursor() as cursor:
                cursor.execute(_BUMP, [numbers, self.id])
                (self._counter,) = cursor.fetchone()
            self._reserved = numbers


_table = Repository._meta.db_table
_BUMP = f"UPDATE {_table} SET counter = counter + %s WHERE id = %s RETURNING counter"
_DUE = (
    f"EXISTS (SELECT 1 FROM {Claim._meta.db_table} c WHERE c.repository_id = {_table}.id"
    " AND c.released_at IS NULL AND c.expires_at <= %s)"
)
_IDLE = (
    f"EXISTS (SELECT 1 FROM {Claim._meta.db_table} c WHERE c.repository_id = {_table}.id"
    " AND c.released_at IS NULL AND c.last_activity IS NOT NULL AND c.last_activity <= %s)"
)
_LINE = (
    f"EXISTS (SELECT 1 FROM {Ticket._meta.db_table} t WHERE t.repo = {_table}.name"
    " AND t.state IN ('waiting', 'offered'))"
)
_LOCK = (
    f"INSERT INTO {_table} (name, counter, case_insensitive, checkout_path, checkout_scope, created_at)"
    f" VALUES (%s, %s + COALESCE((SELECT MAX(floor) FROM {Restore._meta.db_table}), 0), %s, '', '', %s)"
    f" ON CONFLICT (name) DO UPDATE SET counter = {_table}.counter + %s"
    f" RETURNING id, counter, case_insensitive, {_DUE}, {_IDLE}, {_LINE}, {NEWEST},"
    f" (SELECT r.counter FROM {_table} r WHERE r.name = %s)"
)
_STATE = f"SELECT {_DUE}, {_IDLE}, {_LINE}, {NEWEST} FROM {_table} WHERE id = %s"
_GLANCE = f"SELECT id, case_insensitive, {_LINE} FROM {_table} WHERE name = %s"


@contextmanager
def repository_lock(name: str, numbers: int = 0) -> Iterator[Locked]:
    """Hold the repository's lock for one transaction; make its row on first use.

    ``numbers`` are drawn from the repository's counter beforehand; unused ones leave a gap, which is
    fine: the counter only has to grow. On SQLite the write transaction is the lock
    (``transaction_mode`` IMMEDIATE), on PostgreSQL the row. Nothing slow may happen inside.
    """
    with transaction.atomic(), gathered():
        yield _lock(name, numbers)


@contextmanager
def repository_locks(names: list[str]) -> Iterator[dict[str, Locked]]:
    """Hold the locks of several repositories, taken in sorted order, for one transaction."""
    with transaction.atomic(), gathered():
        yield {name: _lock(name, 0) for name in sorted(set(names))}


def glance(name: str) -> Locked | None:
    """The repository as it is now, without its lock: for reads. ``None`` when nobody ever claimed in it."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_GLANCE, [name])
        row = cursor.fetchone()
    if row is None:
        return None
    return Locked(row[0], name, bool(row[1]), now, due=False, line=bool(row[2]), _counter=0, _reserved=0)


def idle_cutoff(now: datetime) -> datetime:
    """Claims with a session that was last heard of at or before this moment have ended."""
    seconds = settings.COORD.idle_timeout_sec
    return now - timedelta(seconds=seconds) if seconds else datetime.min.replace(year=1970, tzinfo=now.tzinfo)


def _lock(name: str, numbers: int) -> Locked:
    now = clock.now()
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        values = [name, numbers, False, stored(now), numbers, stored(now), stored(idle_cutoff(now)), name]
        cursor.execute(_LOCK, values)
        key, counter, case_insensitive, due, idle, line, *revision, seen = cursor.fetchone()
        if postgres:
            now = max(now, clock.now())
            # A statement that waited for the row tells of the rest what was so before. Whoever stood in line
            # meanwhile drew a number.
            if seen is None or seen + numbers != counter:
                cursor.execute(_STATE, [stored(now), stored(idle_cutoff(now)), key])
                due, idle, line, *revision = cursor.fetchone()
    return Locked(
        id=key,
        name=name,
        case_insensitive=bool(case_insensitive),
        now=now,
        due=bool(due or idle),
        line=bool(line),
        _counter=counter,
        _reserved=numbers,
        revision=revision,
    )
