"""Endpoints: made, changed, tested, replayed to. Each change is an event with the operator's name."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from common import clock
from common.caller import Caller
from common.errors import Conflict, Invalid, NotFound, TooMany
from webhooks import selectors
from webhooks.addresses import check_url
from webhooks.log import take_order_lock
from webhooks.models import OPEN_STATES, Delivery, Endpoint, Event
from webhooks.services.environment import ENVIRONMENT
from webhooks.services.outbox import insert_rows, new_row, wants
from webhooks.services.recording import record
from webhooks.types import EventType, NewEvent

MAX_ENDPOINTS = 100
REPLAY_ROWS = 1000
"""Outbox rows that one replay writes; the answer says where to go on."""


def new_secret() -> str:
    """A fresh signing secret."""
    return "whsec_" + secrets.token_urlsafe(32)


def _told(caller: Caller, kind: EventType, endpoint: Endpoint, **detail: Any) -> NewEvent:
    return NewEvent(
        kind,
        "",
        actor_engineer=caller.engineer,
        actor_session_id=caller.session_id,
        operator=caller.name,
        detail={"endpoint_id": str(endpoint.id), "url": endpoint.url, **detail},
    )


def _editable(endpoint: Endpoint, fields: Sequence[str]) -> None:
    if endpoint.managed_by == ENVIRONMENT and set(fields) - {"paused", "note"}:
        raise Conflict(
            "This endpoint is the environment's: only paused and note can be changed here",
            next="change COORD_WEBHOOK_URL, COORD_WEBHOOK_SECRET or COORD_WEBHOOK_EVENTS and restart",
        )


def _checked_types(event_types: Sequence[str]) -> list[str]:
    unknown = [name for name in event_types if name not in set(EventType)]
    if unknown:
        raise Invalid(
            f"event_types: {unknown[0]!r} is not an event type", next=f"choose from {', '.join(EventType)}"
        )
    return sorted(set(event_types))


def _locked(endpoint_id: UUID) -> Endpoint:
    # The log's lock comes first: whoever records takes it before the endpoints' rows.
    take_order_lock()
    endpoint = Endpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound("Endpoint not found", next="list the endpoints: GET /webhooks/endpoints")
    return endpoint


def create_endpoint(
    *,
    caller: Caller,
    url: str,
    secret: str | None = None,
    event_types: Sequence[str] = (),
    repositories: Sequence[str] = (),
    paused: bool = False,
    note: str = "",
) -> Endpoint:
    """A new receiver of the events recorded from now on. Emits ``endpoint_created``.

    ``secret`` None makes one; ``""`` leaves deliveries unsigned. ``Invalid`` for a URL that deliveries cannot
    go to or an unknown type; ``TooMany`` beyond 100 endpoints.
    """
    check_url(url, allow_private=settings.COORD.webhook_allow_private)
    types = _checked_types(event_types)
    moment = clock.now()
    with transaction.atomic():
        if Endpoint.objects.count() >= MAX_ENDPOINTS:
            raise TooMany(f"There are {MAX_ENDPOINTS} endpoints", next="delete one", retryable=False)
        endpoint = Endpoint.objects.create(
            url=url,
            secret=new_secret() if secret is None else secret,
            event_types=types,
            repositories=sorted(set(repositories)),
            paused=paused,
            note=note,
            created_at=moment,
            updated_at=moment,
        )
        record(_told(caller, EventType.ENDPOINT_CREATED, endpoint))
    return endpoint


def edit_endpoint(*, caller: Caller, endpoint_id: UUID, **changes: Any) -> Endpoint:
    """Change ``url``, ``event_types``, ``repositories``, ``paused`` or ``note``. Emits ``endpoint_edited``.

    Rows in the outbox go to the new URL. Unpausing sends what was held, in order.
    """
    if "url" in changes:
        check_url(changes["url"], allow_private=settings.COORD.webhook_allow_private)
    if "event_types" in changes:
        changes["event_types"] = _checked_types(changes["event_types"])
    if "repositories" in changes:
        changes["repositories"] = sorted(set(changes["repositories"]))
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        _editable(endpoint, list(changes))
        changed = sorted(name for name, value in changes.items() if getattr(endpoint, name) != value)
        for name in changed:
            setattr(endpoint, name, changes[name])
        if changed:
            endpoint.updated_at = clock.now()
            endpoint.save(update_fields=[*changed, "updated_at"])
            record(_told(caller, EventType.ENDPOINT_EDITED, endpoint, changed=changed))
    return endpoint


def delete_endpoint(*, caller: Caller, endpoint_id: UUID) -> None:
    """Remove a receiver with its outbox. Emits ``endpoint_deleted`` with the number of undelivered events."""
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        _editable(endpoint, ["id"])
        lost = Delivery.objects.filter(endpoint=endpoint, status__in=OPEN_STATES).count()
        told = _told(caller, EventType.ENDPOINT_DELETED, endpoint, undelivered=lost)
        endpoint.delete()
        record(told)


def rotate_secret(*, caller: Caller, endpoint_id: UUID, overlap_s: int = 86_400) -> Endpoint:
    """Give the endpoint a new secret; for ``overlap_s`` seconds the old one signs too.

    Emits ``endpoint_secret_rotated``. An endpoint that was unsigned is signed from now on.
    """
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        _editable(endpoint, ["secret"])
        moment = clock.now()
        endpoint.previous_secret = endpoint.secret
        endpoint.previous_secret_until = moment + timedelta(seconds=overlap_s)
        endpoint.secret = new_secret()
        endpoint.updated_at = moment
        endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until", "updated_at"])
        record(_told(caller, EventType.ENDPOINT_SECRET_ROTATED, endpoint, overlap_s=overlap_s))
    return endpoint


def send_test_event(*, caller: Caller, endpoint_id: UUID) -> Delivery:
    """Send this endpoint one ``endpoint_test`` event: out of line, once, paused or not, past its filters."""
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        [seq] = record(_told(caller, EventType.ENDPOINT_TEST, endpoint))
        row = new_row(endpoint.id, seq, clock.now(), Delivery.Kind.TEST)
        insert_rows([row])
    return row


def replay_events(*, caller: Caller, endpoint_id: UUID, from_seq: int) -> tuple[int, int | None]:
    """Send the endpoint again what its filters let through, from ``from_seq`` on (inclusive).

    Each event gets a new delivery with a new id, unless one is still under way. At most 1000 per call:
    returns how many were queued, and the sequence number to go on from, or None at the end. ``EventsTrimmed``
    when ``from_seq`` is no longer kept. Emits ``endpoint_replayed``, which is not part of the replay.
    """
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        selectors.refuse_trimmed(from_seq - 1)
        under_way = Delivery.objects.filter(endpoint=endpoint, status__in=OPEN_STATES).values("event_id")
        events = Event.objects.filter(seq__gte=from_seq).exclude(seq__in=under_way)
        if endpoint.event_types:
            events = events.filter(event_type__in=endpoint.event_types)
        if endpoint.repositories:
            events = events.filter(repo__in=endpoint.repositories)
        found = list(events.exclude(event_type=EventType.ENDPOINT_TEST).order_by("seq")[: REPLAY_ROWS + 1])
        going_on = found[REPLAY_ROWS].seq if len(found) > REPLAY_ROWS else None
        moment = clock.now()
        rows = [
            new_row(endpoint.id, event.seq, moment, Delivery.Kind.REPLAY)
            for event in found[:REPLAY_ROWS]
            if wants(endpoint, event.event_type, event.repo)
        ]
        record(_told(caller, EventType.ENDPOINT_REPLAYED, endpoint, from_seq=from_seq, queued=len(rows)))
        insert_rows(rows)
    return len(rows), going_on
