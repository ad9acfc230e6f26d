"""Reading the line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet

from common.buckets import Hour
from common.filters import Filter
from common.rows import batches, marks, stored
from queueing.models import IN_LINE, LEFT, Ticket
from queueing.ordering import Ranking


def present(now: datetime) -> Q:
    """Tickets whose waiter is still there (an offer must also still be open)."""
    there = Q(state="waiting", alive_until__gt=now, expires_at__gt=now)
    return there | Q(state="offered", offer_until__gt=now)


PRESENT = (
    "(state = 'waiting' AND alive_until > %s AND expires_at > %s OR state = 'offered' AND offer_until > %s)"
)
"""As :func:`present`, for statements written by hand; takes the moment three times."""
_TABLE = Ticket._meta.db_table
_PLACES = (
    f"SELECT id, state, passed_over, front, expires_at, CASE WHEN {PRESENT} THEN 1 ELSE 0 END"
    f" FROM {_TABLE} WHERE repo = %s AND state IN ('waiting', 'offered') ORDER BY place"
)
_WAITS_ELSEWHERE = (
    f"SELECT 1 FROM {_TABLE} WHERE {{}} AND state = 'waiting' AND alive_until > %s AND expires_at > %s"
    " AND id <> %s LIMIT 1"
)
_LEFT = (
    f"SELECT 1 FROM {_TABLE} WHERE {{}} AND repo = %s AND server = %s AND state IN ('waiting', 'offered')"
    " LIMIT 1"
)
_COUNTS = (
    "SELECT"
    f" (SELECT COUNT(*) FROM {_TABLE} WHERE repo = %s AND state IN ('waiting', 'offered') AND {PRESENT}),"
    f" (SELECT COUNT(*) FROM {_TABLE} WHERE caller = %s AND state IN ('waiting', 'offered') AND {PRESENT})"
)
_WAITING = f"SELECT id FROM {_TABLE} WHERE id IN ({{}}) AND state = 'waiting'"
_WHERE = f"SELECT repo, state FROM {_TABLE} WHERE id = %s"


class Place(NamedTuple):
    """What of a ticket in line changes while it stands there; ``expires_at`` as the driver gave it."""

    id: str
    state: str
    passed_over: int
    front: bool
    expires_at: Any
    present: bool


def ranking(now: datetime) -> Ranking:
    """The order of the line under the service's settings."""
    return Ranking.at(
        now,
        boost_after=settings.COORD.queue_age_boost_seconds,
        most_overtakes=settings.COORD.queue_max_overtakes,
    )


def places(repo: str, now: datetime) -> list[Place]:
    """The repository's tickets in line by arrival, without what never changes: lines can be long.

    Those that are not present have to be ended.
    """
    moment = stored(now)
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [moment, moment, moment, repo])
        return [
            Place(key, state, passed, bool(front), end, bool(there))
            for key, state, passed, front, end, there in cursor.fetchall()
        ]


def where(ticket_id: str) -> tuple[str, str] | None:
    """The ticket's repository and present state; ``None`` for an unknown id."""
    with connection.cursor() as cursor:
        cursor.execute(_WHERE, [ticket_id])
        found: tuple[str, str] | None = cursor.fetchone()
    return found


def tickets_by_id(ids: Sequence[str]) -> list[Ticket]:
    """These tickets, in no order."""
    found: list[Ticket] = []
    for chunk in batches(ids):
        found += Ticket.objects.filter(id__in=chunk)
    return found


def tickets_of_party(engineer: str, session_id: str | None, now: datetime) -> QuerySet[Ticket]:
    """A party's present tickets, in any repository."""
    mine = Ticket.objects.filter(present(now), state__in=IN_LINE)
    if session_id is not None:
        return mine.filter(Q(session_id=session_id) | Q(session_id__isnull=True, engineer=engineer))
    return mine.filter(engineer=engineer)


def waits_elsewhere(engineer: str, session_id: str | None, now: datetime, besides: str | None) -> bool:
    """Whether a party waits by another ticket than ``besides``, in any repository."""
    mine, names = of_party(engineer, session_id)
    at = stored(now)
    with connection.cursor() as cursor:
        cursor.execute(_WAITS_ELSEWHERE.format(mine), [*names, at, at, besides or ""])
        return cursor.fetchone() is not None


def left_by(
    repo: str, engineer: str, session_id: str | None, request: Mapping[str, Any], now: datetime
) -> Ticket | None:
    """A party's place for this very request whose serving process stopped; ``None`` when there is none."""
    mine, names = of_party(engineer, session_id)
    with connection.cursor() as cursor:
        cursor.execute(_LEFT.format(mine), [*names, repo, LEFT])
        if cursor.fetchone() is None:  # nearly always
            return None
    own = tickets_of_party(engineer, session_id, now).filter(repo=repo, server=LEFT, session_id=session_id)
    return next((ticket for ticket in own.order_by("place") if ticket.request == request), None)


def of_party(engineer: str, session_id: str | None) -> tuple[str, list[str]]:
    """A party's rows, for statements written by hand: the condition and its parameters."""
    if session_id is None:
        return "engineer = %s", [engineer]
    return "(session_id = %s OR session_id IS NULL AND engineer = %s)", [session_id, engineer]


def not_waiting(ids: Collection[str]) -> set[str]:
    """Those of the tickets that do not wait any more: offered something, ended, or removed."""
    given = list(ids)
    waiting: set[str] = set()
    with connection.cursor() as cursor:
        for chunk in batches(given):
            cursor.execute(_WAITING.format(marks(chunk)), chunk)
            waiting.update(key for (key,) in cursor.fetchall())
    return set(given) - waiting


def counts(repo: str, caller: str, now: datetime) -> tuple[int, int]:
    """How many tickets wait in the repository, and how many of the credential's, anywhere."""
    with connection.cursor() as cursor:
        at = stored(now)
        cursor.execute(_COUNTS, [repo, at, at, at, caller, at, at, at])
        depth, own = cursor.fetchone()
    return depth, own


def waiting_of(engineer: str, repositories: Collection[str] | None, now: datetime) -> int:
    """How many of an engineer's tickets wait, in these repositories or all."""
    waiting = Ticket.objects.filter(present(now), engineer=engineer, state="waiting")
    return (waiting if repositories is None else waiting.filter(repo__in=repositories)).count()


MOST_IN_LINE = 5000


@dataclass(slots=True)
class Queued:
    """What of a ticket decides where it stands."""

    id: str
    repo: str
    place: int
    state: str
    urgency: str
    enqueued_at: datetime
    passed_over: int
    front: bool


QUEUED = tuple(field.name for field in fields(Queued))


def in_line(seen: Filter, now: datetime) -> list[Queued]:
    """Present tickets of all lines within a filter, by place, without what they ask for; cut."""
    wanted = seen.on(repo="repo", engineers=(), texts=())
    rows = Ticket.objects.filter(present(now), wanted, state__in=IN_LINE).order_by("place")
    return [Queued(*row) for row in rows.values_list(*QUEUED)[:MOST_IN_LINE]]


def tickets_by_hour(seen: Filter, *, since: datetime) -> dict[str, int]:
    """How many tickets were made, per hour (``2026-11-23 12``) since a moment."""
    wanted = seen.on(repo="repo", engineers=("engineer",), texts=())
    rows = Ticket.objects.filter(wanted, enqueued_at__gte=since).order_by()
    return dict(rows.values_list(Hour("enqueued_at")).annotate(n=Count("id")))
