"""How wakes cross process borders: one watcher thread per process, running only while somebody listens.

The database says that something changed; a :class:`Source` (the event log) says what, so that a commit
elsewhere wakes the waiters concerned and nobody else.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import connection

from common.writes import Writes

log = logging.getLogger("coord.wakeups")

LOOK_S = 0.5
"""The longest time between two looks at SQLite's data version, and at whether anybody still listens, in
seconds.
"""
LINGER_S = 1.0
"""How long the watcher stays after the last listener left, in seconds."""
CHANNEL = "coord_wakeups"
PATIENCE_S = 0.05
"""How long a change waits for its wake to be sent, in seconds."""
IMPATIENT_S = 5.0
"""How long no change waits after one did in vain, in seconds."""
PROCESS = uuid.uuid4().hex
"""Marks this process's own notifications, which were delivered locally at once."""
NOTIFY_BYTES = 7000
"""Room for topics in one notification; PostgreSQL refuses 8000 bytes."""

Ring = Callable[[Iterable[str]], None]


class Source(Protocol):
    """A log that every change is written to, readable from a position."""

    def position(self) -> int:
        """The position of the last committed entry."""
        ...

    def since(self, position: int) -> tuple[int, set[str]]:
        """The new position, and the topics of entries committed after ``position`` by other processes."""
        ...


_sources: list[Source] = []


def register_source(source: Source) -> None:
    """Add a log that the SQLite watcher reads when the database changed. Once, at start."""
    _sources.append(source)


def _layer() -> Any | None:
    """The networked channel layer, or None when the layer does not leave the process."""
    layer = get_channel_layer()
    return None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer


def _messages(topics: tuple[str, ...]) -> list[str]:
    """The notifications' texts: this process's mark, then as many topics as fit."""
    texts: list[str] = []
    batch: list[str] = []
    size = 0
    for topic in topics:
        cost = len(json.dumps(topic)) + 2
        if batch and size + cost > NOTIFY_BYTES:
            texts.append(json.dumps([PROCESS, *batch]))
            batch, size = [], 0
        batch.append(topic)
        size += cost
    texts.append(json.dumps([PROCESS, *batch]))
    return texts


SEND = "SELECT COUNT(pg_notify(%s, text)::text) FROM unnest(%s::text[]) AS text"
"""PostgreSQL's query that sends texts on a channel when the transaction commits."""


def notices(topics: tuple[str, ...]) -> list[Any]:
    """The parameters of :data:`SEND` for these topics; none where nothing has to be sent that way."""
    if connection.vendor != "postgresql" or _layer() is not None:
        return []
    return [CHANNEL, _messages(topics)]


def notify_in_transaction(topics: tuple[str, ...]) -> None:
    """On PostgreSQL (without a networked layer) send the topics with the transaction's commit."""
    if values := notices(topics):
        with connection.cursor() as cursor:
            cursor.execute(SEND, values)


def notify_after_commit(topics: tuple[str, ...]) -> None:
    """With a networked layer send the topics to the other processes."""
    layer = _layer()
    if layer is not None:
        message = {"type": "coord.wake", "process": PROCESS, "topics": list(topics)}
        _sender.send(layer, message)


class _Sender:
    """An event loop on its own thread, for what must be sent from synchronous code."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._patient_from = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="coord-wakeups-net", daemon=True).start()
            return self._loop

    def send(self, layer: Any, message: dict[str, Any]) -> None:
        """Send, and let the sending thread go first: the caller has an answer to write, and as long as it
        writes the other thread stands still. A slow layer is not waited for.
        """
        sent = asyncio.run_coroutine_threadsafe(self._send(layer, message), self.loop())
        if time.monotonic() >= self._patient_from:
            try:
                sent.result(PATIENCE_S)
            except TimeoutError:
                self._patient_from = time.monotonic() + IMPATIENT_S

    async def _send(self, layer: Any, message: dict[str, Any]) -> None:
        try:
            await layer.group_send(CHANNEL, message)
        except Exception:
            log.warning("a wake did not reach the channel layer; waiters fall back to reading", exc_info=True)


_sender = _Sender()


class Watch:
    """The process's watcher. ``needed()`` keeps it running and returns once it sees what is committed."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._lock = threading.Condition()
        self._listeners = 0
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    @asynccontextmanager
    async def needed(self) -> AsyncIterator[None]:
        """While the block runs, commits of other processes ring this process's bells."""
        if not _watchable():
            yield
            return
        with self._lock:
            self._listeners += 1
            self._lock.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._ready.clear()
                self._thread = threading.Thread(target=self._run, name="coord-wakeups", daemon=True)
                self._thread.start()
        try:
            if not self._ready.is_set():
                await asyncio.to_thread(self._ready.wait, 1.0)
            yield
        finally:
            with self._lock:
                self._listeners -= 1

    def _wanted(self) -> bool:
        """Whether to go on; the thread's end is decided under the lock, so no listener is left behind."""
        with self._lock:
            if self._lock.wait_for(lambda: self._listeners > 0, LINGER_S):
                return True
            self._thread = None
            return False

    def _run(self) -> None:
        if _layer() is not None:
            watch = self._watch_layer
        elif connection.vendor == "postgresql":
            watch = self._watch_postgres
        else:
            watch = self._watch_sqlite
        try:
            while True:
                try:
                    return watch()  # it returns when nobody listens any more
                except Exception:
                    log.warning("the wake watcher failed; waiters fall back to reading", exc_info=True)
                self._ready.set()
                connection.close()
                with self._lock:
                    self._lock.wait(1.0)
                if not self._wanted():
                    return None
        finally:
            connection.close()

    def _watch_sqlite(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        with Writes(connection.settings_dict["NAME"]) as writes:
            version = raw.execute("PRAGMA data_version").fetchone()
            positions = [source.position() for source in _sources]
            self._ready.set()
            while self._listeners or self._wanted():
                writes.wait(LOOK_S)
                current = raw.execute("PRAGMA data_version").fetchone()
                if current == version:
                    continue
                version = current
                for index, source in enumerate(_sources):
                    positions[index], topics = source.since(positions[index])
                    if topics:
                        self._ring(topics)

    def _watch_postgres(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        raw.execute(f"LISTEN {CHANNEL}")
        self._ready.set()
        try:
            while self._listeners or self._wanted():
                for notify in raw.notifies(timeout=LOOK_S):
                    process, *topics = json.loads(notify.payload)
                    if process != PROCESS:
                        self._ring(topics)
        finally:
            with suppress(Exception):  # a connection that is gone needs no tidying
                raw.execute(f"UNLISTEN {CHANNEL}")  # else it may go back to a pool

    def _watch_layer(self) -> None:
        asyncio.run_coroutine_threadsafe(self._receive(_layer()), _sender.loop()).result()

    async def _receive(self, layer: Any) -> None:
        channel = await layer.new_channel()
        await layer.group_add(CHANNEL, channel)
        self._ready.set()
        # Cut off while it receives, the layer would leave the channel: one receiver stays for all looks.
        receiving = asyncio.ensure_future(layer.receive(channel))
        try:
            while self._listeners or await asyncio.to_thread(self._wanted):
                await asyncio.wait({receiving}, timeout=LOOK_S)
                if not receiving.done():
                    continue
                message = receiving.result()
                receiving = asyncio.ensure_future(layer.receive(channel))
                if message["process"] != PROCESS:
                    self._ring(message["topics"])
        finally:
            receiving.cancel()
            await asyncio.wait({receiving})
            await layer.group_discard(CHANNEL, channel)


def _watchable() -> bool:
    """Whether other processes can reach what this one waits for."""
    if _layer() is not None or connection.vendor == "postgresql":
        return True
    return connection.vendor == "sqlite" and not connection.is_in_memory_db()  # type: ignore[attr-defined]
