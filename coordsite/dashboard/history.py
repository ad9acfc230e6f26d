"""What is counted over hours and days: kept per filter, and counted anew when there is something to count.

Counting over a full month of conflicts takes longer than a page may. In the serving process it is done
beside the page, on a thread of its own: as often as it costs little (:data:`SHARE` of one processor), so
small services see it at once and large ones a few seconds later. Elsewhere (tests, commands) it is counted
on the spot.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection

from claims.selectors import overview
from claims.selectors.overview import Module
from common import clock
from common.filters import Filter
from coordsite.dashboard.pictures import DAYS
from ownership import selectors as ownership
from ownership.selectors import Hotspot
from queueing import selectors as queueing
from webhooks import selectors as webhooks
from webhooks.types import EventType

log = logging.getLogger("coord.dashboard")

HOURS = 24
LEAST_ATTEMPTS = 5
SHARE = 0.05
FRESH_S = 0.5
PATIENCE_S = 0.05
"""How long a page waits for figures that were never counted, in seconds."""
MOST_KEPT = 32


@dataclass(frozen=True, slots=True)
class History:
    """The figures of one filter. Hours are oldest first; keys are repositories and days of UTC.

    ``made`` is how many claims were made within a day and by how many engineers, per repository.
    """

    active: tuple[int, ...]
    conflicts: tuple[int, ...]
    waits: tuple[int, ...]
    began: tuple[int, ...]
    hotspots: tuple[Hotspot, ...]
    modules: tuple[Module, ...]
    made: dict[str, tuple[int, int]]
    conflict_days: dict[tuple[str, str], int]
    coexist_days: dict[tuple[str, str], int]
    narrow_days: dict[tuple[str, str], int]
    outbox: dict[str, dict[str, int]]
    drawn: dict[tuple[Hashable, ...], tuple[str, str]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """Panels that show nothing but these figures, as HTML and tag, by name and what else is in them."""


def count(seen: Filter) -> History:
    """Count everything now."""
    now = clock.now()
    day, month = now - timedelta(hours=HOURS), now - timedelta(days=DAYS - 1)
    midnight = month.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [(day + timedelta(hours=n + 1)).strftime("%Y-%m-%d %H") for n in range(HOURS)]
    began, ended = overview.claims_by_hour(seen, since=day, now=now)
    active = [sum(overview.active_by_repository(seen, now).values())]
    for hour in reversed(hours[1:]):
        active.insert(0, max(0, active[0] - began.get(hour, 0) + ended.get(hour, 0)))
    refused = ownership.refused_by_hour(seen, since=day)
    waits = queueing.tickets_by_hour(seen, since=day)
    automatic = webhooks.events_by_day(
        seen, types=(EventType.AUTO_COEXIST, EventType.AUTO_NARROW), since=midnight
    )
    spots = ownership.hotspots(days=DAYS, min_attempts=LEAST_ATTEMPTS, limit=200, repo=seen.repo)
    return History(
        active=tuple(active),
        conflicts=tuple(refused.get(hour, 0) for hour in hours),
        waits=tuple(waits.get(hour, 0) for hour in hours),
        began=tuple(began.get(hour, 0) for hour in hours),
        hotspots=tuple(spot for spot in spots if seen.shows(repo=spot.repo, texts=(spot.pattern,))),
        made=overview.claims_made(seen, since=day),
        modules=tuple(overview.top_modules(seen, since=day, limit=10)),
        conflict_days=ownership.refused_by_day(seen, since=midnight),
        coexist_days=_of(automatic, EventType.AUTO_COEXIST),
        narrow_days=_of(automatic, EventType.AUTO_NARROW),
        outbox=webhooks.outbox_stats(hours=HOURS),
    )


def _of(counted: dict[tuple[str, str, str], int], wanted: str) -> dict[tuple[str, str], int]:
    return {(repo, day): n for (repo, kind, day), n in counted.items() if kind == wanted}


@dataclass(slots=True)
class _Kept:
    history: History | None = None
    seq: int = -1
    counted: float = 0.0
    took: float = 0.0
    job: Future[None] | None = None


class Histories:
    """The histories of the filters that are looked at. For any thread."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._kept: OrderedDict[Filter, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._told = told

    def get(self, seen: Filter, seq: int, *, patience: float = PATIENCE_S) -> History | None:
        """The figures counted last, and a new count on its way when ``seq`` says that much has happened.

        ``None`` when the first count takes longer than ``patience`` seconds.
        """
        with self._lock:
            kept = self._kept.setdefault(seen, _Kept())
            self._kept.move_to_end(seen)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            idle = kept.job is None or kept.job.done()
            if idle and self._is_due(kept, seq):
                kept.job = self._thread.submit(self._count, kept, seen, seq)
            job = kept.job
        if job is not None and not job.done():
            wait = patience if kept.history is None else 0
            try:
                job.result(timeout=wait)
            except TimeoutError:
                return kept.history
        return kept.history

    def due_in(self, seen: Filter, seq: int) -> float | None:
        """Seconds until it is worth asking again; ``None`` when nothing has happened since the last count."""
        kept = self._kept.get(seen)
        if kept is None or kept.seq == seq:
            return None
        return max(0.0, kept.counted + self._pause(kept) - time.monotonic())

    def _is_due(self, kept: _Kept, seq: int) -> bool:
        if kept.history is None:
            return True
        age = time.monotonic() - kept.counted
        return (seq != kept.seq or age > 60) and age >= self._pause(kept)

    @staticmethod
    def _pause(kept: _Kept) -> float:
        return max(FRESH_S, kept.took / SHARE)

    def _count(self, kept: _Kept, seen: Filter, seq: int) -> None:
        began = time.monotonic()
        try:
            kept.history = count(seen)
            kept.seq = seq
        except Exception:
            log.exception("the dashboard's history could not be counted")
        finally:
            connection.close()
            kept.counted = time.monotonic()
            kept.took = kept.counted - began
            self._told()
