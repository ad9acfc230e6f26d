"""What the service does once at start, for claims and the line."""

from __future__ import annotations

import os
import socket
from functools import cache

from django_q.models import Schedule

from claims.locks import repository_lock
from claims.services import draining
from ownership.services import resolve_contention
from queueing import services as tickets
from queueing.models import IN_LINE, LEFT, Ticket

SCHEDULES = (
    ("claims: due leases", "claims.tasks.sweep", Schedule.MINUTES, 1),
    ("claims: old answers", "claims.tasks.forget_answers", Schedule.HOURLY, None),
)


def prepare() -> None:
    """The schedules, and the places of waiters whose serving process is gone. Idempotent."""
    for name, function, kind, minutes in SCHEDULES:
        Schedule.objects.get_or_create(
            name=name, defaults={"func": function, "schedule_type": kind, "minutes": minutes}
        )
    lapse_orphans()


@cache
def server_name() -> str:
    """This process, as tickets name the process that serves their waiter."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def lapse_orphans() -> int:
    """Expire the places of waiters whose connection died with a process of this host; how many.

    Places that outlive their call stay: their waiters come back.
    """
    lapsed = 0
    for ticket in Ticket.objects.filter(state__in=IN_LINE).exclude(server__in=("", LEFT)):
        if _serves_still(ticket.server):
            continue
        with repository_lock(ticket.repo) as locked:
            if tickets.expire(ticket, locked.now, "gone"):
                resolve_contention(ticket.id, "gave_up")
                draining.drain(locked)
                lapsed += 1
    return lapsed


def _serves_still(server: str) -> bool:
    """Whether that process lives. Another host's is taken to live: its heartbeat tells otherwise."""
    host, _, process = server.rpartition(":")[0].rpartition(":")
    started = server.rpartition(":")[2]
    return host != socket.gethostname() or _started(int(process)) == started


def _started(pid: int) -> str:
    """When the process started, in clock ticks since boot; empty when there is none (or no /proc)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
