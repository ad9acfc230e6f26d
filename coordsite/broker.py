"""Where tasks stand in line: django-q2's ORM broker, woken when a task comes instead of looking all the time.

A task that is queued starts within milliseconds, and an idle cluster costs next to nothing.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ

from common.rows import stored
from common.writes import Writes

CHANNEL = "coord_tasks"
"""PostgreSQL's channel that tells of new tasks."""
SLICE_S = 0.5
"""How long one wait lasts, in seconds: between two the cluster sees whether it has to stop."""
LOOK_S = 5.0
"""The longest time between two looks, in seconds: a task whose worker vanished is due again untold."""
UNAIDED_S = 0.2
"""The time between two looks where the system does not tell of writes to a SQLite file, in seconds."""
_DUE = f"SELECT 1 FROM {OrmQ._meta.db_table} WHERE key = %s AND lock < %s LIMIT 1"


class Broker(ORM):
    """As django-q2's own; :meth:`dequeue` is for one thread of a process."""

    def __init__(self, list_key: str = "") -> None:
        super().__init__(list_key)
        self._look_at = 0.0
        self._writes: Writes | None = None
        self._listens_on: Any = None

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._look_at, self._writes, self._listens_on = 0.0, None, None

    def enqueue(self, task: str) -> int:
        """Put a task in line and tell the clusters; its id."""
        key: int = super().enqueue(task)  # type: ignore[no-untyped-call]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        return key

    def dequeue(self) -> list[tuple[int, str]] | None:
        """The next tasks, now this cluster's for a while. ``None`` when none came within a short wait."""
        if time.monotonic() >= self._look_at:
            if self._anything_due():
                tasks: list[tuple[int, str]] | None = super().dequeue()  # type: ignore[no-untyped-call]
                return tasks
            self._look_at = time.monotonic() + LOOK_S
        if self._word_comes():
            self._look_at = 0.0
        return None

    def _anything_due(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, [self.list_key, stored(timezone.now())])
            return cursor.fetchone() is not None

    def _word_comes(self) -> bool:
        """Whether somebody may have queued a task, within a slice."""
        if connection.vendor != "postgresql":
            if self._writes is None:
                self._writes = Writes(connection.settings_dict["NAME"], unaided_s=UNAIDED_S)
            return self._writes.wait(SLICE_S)
        try:
            with connection.wrap_database_errors:
                return self._notified()
        except DatabaseError:  # the next look connects anew, or tells what is wrong
            connection.close()
            time.sleep(SLICE_S)
            return True

    def _notified(self) -> bool:
        connection.ensure_connection()
        raw = connection.connection
        if raw is not self._listens_on:
            raw.execute(f"LISTEN {CHANNEL}")
            self._listens_on = raw
            return True  # what came before is looked for
        return bool(list(raw.notifies(timeout=SLICE_S, stop_after=1)))
