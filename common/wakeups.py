"""Wakeups: whoever waits for a change parks here; whoever changes something rings.

A wake carries no data. A waiter subscribes, reads the database, and waits; after each wake (or its own
timeout) it reads again. So a lost wake costs latency, never correctness, and callers keep their timeout
at :data:`FALLBACK_S` or below.

Inside a process a wake is immediate. Between processes it travels through the Channels layer when that
is a networked one, else through what the processes share anyway, the database: ``LISTEN`` on PostgreSQL,
a watch on ``PRAGMA data_version`` on SQLite. See :mod:`common.watchers`.

Topics: ``events``, ``refusals``, ``repo:<name>``, ``ticket:<uuid>``, ``request:<uuid>``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from django.db import transaction

from common import watchers

FALLBACK_S = 2.0
"""The longest a waiter may rely on wakes alone, in seconds."""

EVENTS = "events"
REFUSALS = "refusals"
"""Rung in the refusing process only: others look now and then."""


class Bell:
    """One waiter's bell. It belongs to the event loop on which it was made."""

    __slots__ = ("_event", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    async def wait(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds; whether a wake came. Wakes since the last wait count."""
        if not self._event.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._event.wait()
            except TimeoutError:
                return False
        self._event.clear()
        return True

    def ring(self) -> None:
        """Wake the waiter. On the bell's own loop only."""
        self._event.set()


class _Hub:
    """The process's bells by topic. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bells: dict[str, set[Bell]] = {}

    def add(self, topics: Iterable[str], bell: Bell) -> None:
        with self._lock:
            for topic in topics:
                self._bells.setdefault(topic, set()).add(bell)

    def remove(self, topics: Iterable[str], bell: Bell) -> None:
        with self._lock:
            for topic in topics:
                bells = self._bells.get(topic)
                if bells is not None:
                    bells.discard(bell)
                    if not bells:
                        del self._bells[topic]

    def ring(self, topics: Iterable[str]) -> None:
        """Wake everybody who listens to one of the topics: one hop per event loop, not per waiter."""
        by_loop: dict[asyncio.AbstractEventLoop, set[Bell]] = {}
        with self._lock:
            for topic in topics:
                for bell in self._bells.get(topic, ()):
                    by_loop.setdefault(bell.loop, set()).add(bell)
        for loop, bells in by_loop.items():
            try:
                loop.call_soon_threadsafe(_ring_all, bells)
            except RuntimeError:  # the loop is closed; its waiters are gone
                continue


def _ring_all(bells: set[Bell]) -> None:
    for bell in bells:
        bell.ring()


_hub = _Hub()
_watch = watchers.Watch(_hub.ring)


def publish(*topics: str) -> None:
    """Wake the topics' waiters: after commit inside a transaction (never after a rollback), else now.

    Synchronous code only, on any thread, with or without an event loop. Adds no query on SQLite and one
    (``pg_notify``) on PostgreSQL.
    """
    if not topics:
        return
    unique = tuple(dict.fromkeys(topics))
    watchers.notify_in_transaction(unique)
    transaction.on_commit(lambda: _ring(unique))


def publish_by(*topics: str) -> list[Any]:
    """As :func:`publish`, but without a query of its own: the caller's statement takes it along.

    Returns the parameters with which that statement runs :data:`SEND`; none when there is nothing to send.
    """
    unique = tuple(dict.fromkeys(topics))
    transaction.on_commit(lambda: _ring(unique))
    return watchers.notices(unique)


SEND = watchers.SEND
"""PostgreSQL's query for what :func:`publish_by` returns."""


def _ring(topics: tuple[str, ...]) -> None:
    _hub.ring(topics)
    watchers.notify_after_commit(topics)


def ring_local(*topics: str) -> None:
    """Wake the topics' waiters of this process only, now. From any thread."""
    _hub.ring(topics)


@asynccontextmanager
async def listening(*topics: str) -> AsyncIterator[Bell]:
    """Listen to the topics while the block runs. Read the database inside the block, then wait.

    Every change committed after the block was entered rings the bell, whichever process made it.
    """
    bell = Bell()
    _hub.add(topics, bell)
    try:
        async with _watch.needed():
            yield bell
    finally:
        _hub.remove(topics, bell)


register_source: Callable[[watchers.Source], None] = watchers.register_source
"""Tell the SQLite watcher where to read the topics of what other processes committed."""
