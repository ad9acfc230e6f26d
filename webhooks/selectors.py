"""All reads of the event log and the outbox."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from common import clock
from common.buckets import Day
from common.caller import Caller
from common.errors import CoordError, ErrorCode, Forbidden, NotFound
from common.filters import Filter
from common.rows import stored
from webhooks.models import OPEN_STATES, Delivery, Endpoint, Event, Trim

MAX_PAGE = 1000
_MAY_BE_DUE = (
    f"SELECT EXISTS (SELECT 1 FROM {Endpoint._meta.db_table} e WHERE EXISTS"
    # The event's number is always positive; naming it leads SQLite to the index of the open rows.
    f" (SELECT 1 FROM {Delivery._meta.db_table} d WHERE d.endpoint_id = e.id AND d.event_id > 0"
    " AND d.status IN ('pending', 'failed') AND d.next_attempt_at <= %s))"
)


class EventsTrimmed(CoordError):
    """Events after the position asked for are no longer kept; the reader has missed some."""

    status = 410
    code = ErrorCode.GONE


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in sequence, and the position to read on from (past events that the filters hide)."""

    events: list[Event]
    next_after: int


def may_be_due(moment: datetime) -> bool:
    """Whether any endpoint has an outbox row whose time has come: next to nothing to ask. Not every such row
    is due; some stand behind another, or a worker is sending them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MAY_BE_DUE, [stored(moment)])
        return bool(cursor.fetchone()[0])


def last_seq() -> int:
    """The sequence number of the newest event, trimmed or not; 0 before the first."""
    newest: int | None = Event.objects.aggregate(Max("seq"))["seq__max"]
    return newest if newest is not None else trimmed_to()


def trimmed_to() -> int:
    """The sequence number of the last event that retention removed; 0 when none was."""
    return Trim.objects.values_list("seq", flat=True).first() or 0


def refuse_trimmed(after: int) -> None:
    """``EventsTrimmed`` when a reader at ``after`` has missed removed events."""
    trimmed = trimmed_to()
    if after < trimmed:
        raise EventsTrimmed(
            f"after: events up to {trimmed} are no longer kept",
            next=f"read the present state, then go on with after={trimmed}",
        )


def position(after: str | None) -> int | None:
    """What a client wrote as ``after``: a number, ``latest`` for the newest event, None for all."""
    if after is None:
        return None
    return last_seq() if after == "latest" else int(after)


def visible(caller: Caller, repo: str | None) -> str | None:
    """The repository asked for, in its one case, when the caller may see it; else ``Forbidden``."""
    repo = None if repo is None else repo.strip().casefold()
    if repo is not None and not caller.sees(repo):
        raise Forbidden(f"repo: {repo} is outside this token's repositories", next="ask for another one")
    return repo


def events_after(
    seq: int | None,
    *,
    repo: str | None = None,
    types: Collection[str] | None = None,
    repositories: Collection[str] | None = None,
    limit: int = 100,
) -> EventPage:
    """The events after ``seq`` (None: all that are kept) in sequence, at most ``limit``.

    ``repo`` is one repository (``""`` the null repository); ``repositories`` the caller's limits, None for
    none. A reader that goes on from ``next_after`` misses nothing. ``EventsTrimmed`` when it already has.
    """
    # The end is read first: what commits after it has a larger number, and the next page shows it.
    end = last_seq()
    if seq is None:
        seq = trimmed_to()
    else:
        refuse_trimmed(seq)
    events = Event.objects.filter(seq__gt=seq)
    if repo is not None:
        events = events.filter(repo=repo)
    if types:
        events = events.filter(event_type__in=types)
    if repositories is not None:
        events = events.filter(repo__in=repositories)
    found = list(events.order_by("seq")[:limit])
    if len(found) == limit:
        return EventPage(found, found[-1].seq)
    return EventPage(found, max(seq, end, found[-1].seq if found else 0))


def events_of_request(request_id: UUID, *, repositories: Collection[str] | None = None) -> list[Event]:
    """The events of one release request, oldest first, within the caller's repositories."""
    events = Event.objects.filter(request_id=request_id)
    if repositories is not None:
        events = events.filter(repo__in=repositories)
    return list(events.order_by("seq"))


def endpoints() -> QuerySet[Endpoint]:
    """All receivers, oldest first."""
    return Endpoint.objects.all()


def endpoint(endpoint_id: UUID) -> Endpoint:
    """One receiver, or ``NotFound``."""
    found = Endpoint.objects.filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound("Endpoint not found", next="list the endpoints: GET /webhooks/endpoints")
    return found


def delivery(delivery_id: UUID) -> Delivery:
    """One delivery with its event, or ``NotFound``."""
    found = Delivery.objects.select_related("event").filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("Delivery not found", next="list the deliveries: GET /webhooks/deliveries")
    return found


def deliveries(
    *,
    endpoint_id: UUID | None = None,
    status: str | None = None,
    event_type: str | None = None,
    before: tuple[int, UUID] | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Deliveries with their events, newest event first; ``before`` is the last one of the page before."""
    rows = Delivery.objects.select_related("event")
    if endpoint_id is not None:
        rows = rows.filter(endpoint_id=endpoint_id)
    if status is not None:
        rows = rows.filter(status=status)
    if event_type is not None:
        rows = rows.filter(event__event_type=event_type)
    if before is not None:
        seq, last = before
        rows = rows.filter(event_id__lte=seq).exclude(event_id=seq, id__gte=last)
    return list(rows.order_by("-event_id", "-id")[:limit])


def outbox_stats(*, hours: float) -> dict[str, dict[str, int]]:
    """Rows made in the last ``hours``: by event type, the number in each state."""
    since = clock.now() - timedelta(hours=hours)
    counts = (
        Delivery.objects.filter(created_at__gte=since)
        .order_by()
        .values_list("event__event_type", "status")
        .annotate(count=Count("pk"))
    )
    stats: dict[str, dict[str, int]] = {}
    for event_type, status, count in sorted(counts):
        stats.setdefault(event_type, dict.fromkeys(sorted(Delivery.Status.values), 0))[status] = count
    return stats


def outbox_tail(*, count: int) -> list[Delivery]:
    """The newest rows with their events, oldest first."""
    newest = Delivery.objects.select_related("event").order_by("-created_at", "-event_id", "-id")[:count]
    return list(newest)[::-1]


def oldest_open() -> datetime | None:
    """When the oldest undelivered row was made."""
    return (
        Delivery.objects.filter(status__in=("pending", "failed"))
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )


@dataclass(frozen=True, slots=True)
class Trouble:
    """A receiver that does not get its events: open rows, and rows given up within a day."""

    endpoint: Endpoint
    waiting: int
    lost: int
    last_error: str


def troubled_endpoints(*, failures: int, limit: int) -> list[Trouble]:
    """Receivers whose next row has failed ``failures`` times, or that lost a row within a day; cut."""
    day = clock.now() - timedelta(hours=24)
    stuck = Delivery.objects.filter(
        endpoint=OuterRef("pk"), status__in=OPEN_STATES, retry_count__gte=failures
    )
    lost = Delivery.objects.filter(endpoint=OuterRef("pk"), status="exhausted", created_at__gte=day)
    ids = list(
        Endpoint.objects.filter(Q(Exists(stuck)) | Q(Exists(lost))).values_list("pk", flat=True)[:limit]
    )
    if not ids:
        return []
    counted = Endpoint.objects.filter(pk__in=ids).annotate(
        waiting=Count("delivery", filter=Q(delivery__status__in=OPEN_STATES)),
        lost=Count("delivery", filter=Q(delivery__status="exhausted", delivery__created_at__gte=day)),
        error=Max("delivery__last_error", filter=~Q(delivery__status="delivered")),
    )
    return [Trouble(row, row.waiting, row.lost, row.error or "") for row in counted]


def events_by_day(
    seen: Filter, *, types: Collection[str], since: datetime
) -> dict[tuple[str, str, str], int]:
    """How many events of these types, per repository, type and day (``2026-11-23``) since a moment."""
    rows = Event.objects.filter(
        seen.on(repo="repo", engineers=(), texts=()), event_type__in=types, created_at__gte=since
    )
    counted = rows.order_by().values_list("repo", "event_type", Day("created_at")).annotate(n=Count("seq"))
    return {(repo, kind, day): n for repo, kind, day, n in counted}


def events_of_claim(claim_id: UUID | str, *, limit: int) -> list[Event]:
    """What happened to a claim, oldest first; cut."""
    return list(Event.objects.filter(claim_id=claim_id).order_by("seq")[:limit])
