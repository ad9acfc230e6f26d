"""The ticker: what must be prompt and has no caller to carry it out.

One thread in each web process looks every ``COORD_WEBHOOK_DELIVERY_INTERVAL_SEC``; a lease in the
database lets one process at a time do more than look at that lease. It only queues tasks, each of which is
safe to run twice, so a lease that two processes believe in for a moment harms nothing.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django_q.models import OrmQ
from django_q.tasks import async_task

from claims.selectors.overdue import anything_overdue
from claims.services.upkeep import server_name
from common import clock
from common.rows import moment
from coordsite.models import Lease
from webhooks import services as webhooks

log = logging.getLogger("coord.ticker")

JOB = "ticker"
SWEEP = "claims.tasks.sweep"
LEAST_LEASE_S = 15.0
"""The shortest time that a process which fell silent keeps the job, in seconds."""
_LEASE = f"SELECT holder, until FROM {Lease._meta.db_table} WHERE name = %s"
MOST_WAITING = 100
"""With more tasks than this in line, a sweep waits its turn there already."""


def hold_lease(job: str, holder: str, now: datetime, seconds: float) -> bool:
    """Take or keep a job until ``seconds`` from now; ``False`` while it is another's. One's own is written
    anew when less than half of that time is left.
    """
    until = now + timedelta(seconds=seconds)
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, [job])
        found = cursor.fetchone()
    if found is not None and (end := moment(found[1])) is not None:
        if found[0] == holder and now + timedelta(seconds=seconds / 2) <= end <= until:
            return True
        if found[0] != holder and end > now:
            return False
    rows = Lease.objects.filter(name=job)
    if rows.filter(holder=holder).update(until=until) or rows.filter(until__lte=now).update(
        holder=holder, until=until
    ):
        return True
    _, made = Lease.objects.get_or_create(name=job, defaults={"holder": holder, "until": until})
    return made


def tick(holder: str) -> bool:
    """One look: queue due deliveries, and a sweep when something has run out; whether it was ours to do."""
    now = clock.now()
    if not hold_lease(JOB, holder, now, max(LEAST_LEASE_S, 3 * interval())):
        return False
    webhooks.deliver_due()
    if _sweeps_here() and anything_overdue(now) and not _sweep_waits():
        async_task(SWEEP, task_name="sweep")  # type: ignore[no-untyped-call]
    return True


def interval() -> float:
    """Seconds between two looks."""
    return float(settings.COORD.webhook_delivery_interval_sec)


def start() -> None:
    """Look for as long as the process lives, on a thread of its own."""
    threading.Thread(target=_run, name="ticker", daemon=True).start()


def _run() -> None:
    pause, holder = threading.Event(), server_name()
    while not pause.wait(interval()):
        try:
            tick(holder)
        except Exception:
            log.warning("a look at what is due failed; the next one follows", exc_info=True)
            connection.close()
        connection.close_if_unusable_or_obsolete()


def _sweeps_here() -> bool:
    return not settings.COORD.disable_background_cleanup


def _sweep_waits() -> bool:
    """Whether a sweep is in line already (its task is packed: the newest are unpacked to see)."""
    waiting = OrmQ.objects.order_by("-id")[:MOST_WAITING]
    return any(task.task.get("func") == SWEEP for task in waiting)
