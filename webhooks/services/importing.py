"""Taking over deliveries that another service still owed its receiver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common import clock
from webhooks import log
from webhooks.models import Delivery, Endpoint
from webhooks.services.outbox import insert_rows
from webhooks.types import EventType, NewEvent

TAKEN, KNOWN = "imported", "known"


@dataclass(frozen=True, slots=True)
class ForeignDelivery:
    """An undelivered outbox row of the other service."""

    id: UUID
    url: str
    event_type: str
    repo: str
    detail: Mapping[str, Any]
    created_at: datetime


def import_delivery(foreign: ForeignDelivery) -> str:
    """Owe one delivery here: ``imported``, ``known``, or why it stays behind.

    It keeps its id, by which the receiver knows it again; its event is written into the log with its own
    time. Inside a transaction that takes no further locks afterwards.
    """
    if Delivery.objects.filter(id=foreign.id).exists():
        return KNOWN
    if foreign.event_type not in list(EventType):
        return f"its event type '{foreign.event_type[:60]}' is unknown"
    endpoint = Endpoint.objects.filter(url=foreign.url).order_by("created_at").first()
    if endpoint is None:
        return f"no endpoint has its URL {foreign.url[:200]}: add one, then import again"
    detail = foreign.detail
    event = NewEvent(
        type=EventType(foreign.event_type),
        repo=foreign.repo,
        actor_engineer=_text(detail.get("engineer") or detail.get("requester_engineer")),
        actor_session_id=_text(detail.get("session_id")),
        detail=detail,
    )
    [seq], _ = log.insert([event], foreign.created_at)
    now = clock.now()
    insert_rows(
        [Delivery(id=foreign.id, endpoint=endpoint, event_id=seq, next_attempt_at=now, created_at=now)]
    )
    return TAKEN


def _text(value: object) -> str | None:
    return value[:255] if isinstance(value, str) and value else None
