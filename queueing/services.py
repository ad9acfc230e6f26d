"""Every change of a ticket: compare-and-set on its state, with one event, under the repository's lock. The
event wakes the waiter.

The callers hold the lock (:mod:`queueing` does not know what is waited for, nor how it is locked).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import F

from common import clock
from common.rows import Columns, batches, marks, stored
from queueing.models import LEFT, Ticket
from queueing.selectors import counts
from webhooks.services import record
from webhooks.types import EventType, NewEvent

HEARTBEAT_SECONDS = 5
"""How often a serving process says that its waiters are still there."""
ALIVE_SECONDS = 20
"""How long a waiter counts as present after the last such word."""
RETURN_SECONDS = 30
"""How long a place is kept for a waiter whose serving process stopped."""


_TABLE = Ticket._meta.db_table
_FIELDS = {field.name: field for field in Ticket._meta.concrete_fields}
_MOVE = f"UPDATE {_TABLE} SET {{}} WHERE id = %s AND state IN ({{}})"
_OFFER = (
    f"UPDATE {_TABLE} SET state = 'offered', offer_until = %s WHERE id IN ({{}}) AND state = 'waiting'"
    " RETURNING id, repo, engineer, session_id, request"
)


class _Moved(NamedTuple):
    """What the event of a ticket tells."""

    id: str
    repo: str
    engineer: str
    session_id: str | None
    request: dict[str, Any]


class LineFull(Exception):
    """A limit of the line is reached; ``whose`` is ``party`` or ``repository``."""

    def __init__(self, whose: str, limit: int) -> None:
        super().__init__(f"{whose} limit of {limit} waiting tickets")
        self.whose = whose
        self.limit = limit


def enqueue(
    *,
    repo: str,
    place: int,
    engineer: str,
    session_id: str | None,
    caller: str,
    urgency: str,
    request: Mapping[str, Any],
    now: datetime,
    wait_seconds: float,
    hold_seconds: float,
    server: str,
) -> Ticket:
    """Put a party in line. Emits ``queue_enqueue``; raises :class:`LineFull` at a limit.

    The wait ends after ``wait_seconds + hold_seconds``. With ``hold_seconds`` the place outlives the
    call; without, it lives while the serving process keeps saying so.
    """
    depth, own = counts(repo, caller, now)
    if settings.COORD.max_queue_depth_per_repo and depth >= settings.COORD.max_queue_depth_per_repo:
        raise LineFull("repository", settings.COORD.max_queue_depth_per_repo)
    if settings.COORD.max_queued_per_party and own >= settings.COORD.max_queued_per_party:
        raise LineFull("party", settings.COORD.max_queued_per_party)
    expires_at = now + timedelta(seconds=wait_seconds + hold_seconds)
    ticket = Ticket.objects.create(
        repo=repo,
        place=place,
        engineer=engineer,
        session_id=session_id,
        caller=caller,
        urgency=urgency,
        request=dict(request),
        enqueued_at=now,
        expires_at=expires_at,
        alive_until=expires_at if hold_seconds else min(expires_at, now + timedelta(seconds=ALIVE_SECONDS)),
        server="" if hold_seconds else server,
    )
    record(_event(ticket, EventType.QUEUE_ENQUEUE, urgency=urgency, expires_at=clock.iso(expires_at)))
    return ticket


def offer(ids: Sequence[str], now: datetime) -> None:
    """Offer each waiting ticket what it waits for, until picked up. Emits ``queue_offer``."""
    until = now + timedelta(seconds=settings.COORD.offer_seconds)
    moved: dict[str, _Moved] = {}
    for chunk in batches(ids):
        with connection.cursor() as cursor:
            moment = stored(until)
            cursor.execute(_OFFER.format(marks(chunk)), [moment, *chunk])
            for key, repo, engineer, session, request in cursor.fetchall():
                moved[key] = _Moved(key, repo, engineer, session, json.loads(request))
    offered = [moved[key] for key in ids if key in moved]
    record(*(_event(ticket, EventType.QUEUE_OFFER, offer_until=clock.iso(until)) for ticket in offered))


def withdraw_offer(ticket: Ticket) -> bool:
    """Put an offered ticket back in line: what it was offered is not free. Emits ``queue_withdraw``."""
    if not _move(ticket, ("offered",), state="waiting", offer_until=None):
        return False
    record(_event(ticket, EventType.QUEUE_WITHDRAW))
    return True


def grant(ticket: Ticket, now: datetime, result: Mapping[str, Any], claim_id: str) -> bool:
    """Close the ticket as granted. Emits ``queue_grant``."""
    if not _move(ticket, ("waiting", "offered"), state="granted", result=dict(result), ended_at=now):
        return False
    detail = {
        "queue_id": ticket.id,
        "granted_claim_id": claim_id,
        "requester_engineer": ticket.engineer,
        "pattern": first_pattern(ticket),
    }
    record(_event(ticket, EventType.QUEUE_GRANT, claim_id, **detail))
    return True


def cancel(
    ticket: Ticket, now: datetime, reason: str, operator: str | None = None, note: str | None = None
) -> bool:
    """Give the place up. Emits ``queue_cancel`` (with an operator's ``note``)."""
    if not _move(ticket, ("waiting", "offered"), state="cancelled", end_reason=reason, ended_at=now):
        return False
    detail = {"queue_id": ticket.id, "requester_engineer": ticket.engineer, "pattern": first_pattern(ticket)}
    if note:
        detail["note"] = note
    record(_event(ticket, EventType.QUEUE_CANCEL, operator=operator, reason=reason, **detail))
    return True


def expire(ticket: Ticket, now: datetime, reason: str) -> bool:
    """End the wait: ``timeout``, ``gone``, ``offer_lapsed``, ``limit``. Emits ``queue_expire``."""
    if not _move(ticket, ("waiting", "offered"), state="expired", end_reason=reason, ended_at=now):
        return False
    record(_event(ticket, EventType.QUEUE_EXPIRE, reason=reason))
    return True


def note_passed(ids: Sequence[str], times: int = 1) -> None:
    """Count that these tickets were passed over by later requests."""
    for chunk in batches(ids):
        Ticket.objects.filter(id__in=chunk).update(passed_over=F("passed_over") + times)


def move_to_front(ticket: Ticket, *, operator: str, reason: str) -> bool:
    """Put the ticket first in its line; ``False`` when it does not wait. Emits ``operator_action``."""
    if not _move(ticket, ("waiting",), front=True):
        return False
    record(
        _event(ticket, EventType.OPERATOR_ACTION, operator=operator, action="ticket_to_front", reason=reason)
    )
    return True


def heartbeat(ids: Sequence[str], now: datetime) -> None:
    """Say that these waiters are still connected."""
    until = now + timedelta(seconds=ALIVE_SECONDS)
    for chunk in batches(ids):
        late = Ticket.objects.filter(id__in=chunk, state="waiting", alive_until__lt=until)
        late.update(alive_until=until)


def leave(ticket: Ticket, now: datetime) -> bool:
    """Nobody serves the waiter any more: keep its place until it comes back, :data:`RETURN_SECONDS`."""
    until = now + timedelta(seconds=RETURN_SECONDS)
    ticket.refresh_from_db()
    return _move(
        ticket,
        ("waiting", "offered"),
        server=LEFT,
        alive_until=max(ticket.alive_until, until),
        expires_at=max(ticket.expires_at, until),
    )


def take_up(
    ticket: Ticket, *, now: datetime, caller: str, wait_seconds: float, hold_seconds: float, server: str
) -> bool:
    """A waiter came back to a place that :func:`leave` kept: serve it from here on, with a new wait."""
    expires_at = now + timedelta(seconds=wait_seconds + hold_seconds)
    alive = expires_at if hold_seconds else min(expires_at, now + timedelta(seconds=ALIVE_SECONDS))
    return _move(
        ticket,
        ("waiting", "offered"),
        server=server,
        caller=caller,
        alive_until=alive,
        expires_at=expires_at,
    )


def first_pattern(ticket: Ticket | _Moved) -> str:
    """The first pattern of the opaque request, for texts and the reference's one-pattern fields."""
    items = ticket.request.get("items") or [{}]
    return str(items[0].get("pattern", ""))


def _move(ticket: Ticket, from_states: tuple[str, ...], **changes: Any) -> bool:
    """Compare-and-set on the state; the object follows the row."""
    values = Columns(_FIELDS[name] for name in changes).prepared(
        changes.values(), connections[DEFAULT_DB_ALIAS]
    )
    sql = _MOVE.format(", ".join(f"{name} = %s" for name in changes), marks(from_states))
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, ticket.id, *from_states])
        moved = bool(cursor.rowcount == 1)
    if moved:
        for name, value in changes.items():
            setattr(ticket, name, value)
    return moved


def _event(
    ticket: Ticket | _Moved,
    kind: EventType,
    claim_id: str | None = None,
    operator: str | None = None,
    **detail: Any,
) -> NewEvent:
    return NewEvent(
        type=kind,
        repo=ticket.repo,
        actor_engineer=ticket.engineer,
        actor_session_id=ticket.session_id,
        operator=operator,
        claim_id=claim_id,
        ticket_id=ticket.id,
        detail={"queue_id": ticket.id, "pattern": first_pattern(ticket), **detail},
    )
