"""What an operator corrects in the outbox. Each correction is on record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from common import clock
from common.caller import Caller
from webhooks.models import OPEN_STATES, Delivery
from webhooks.services.outbox import announce, nudge
from webhooks.services.recording import record
from webhooks.types import EventType, NewEvent


def retry_deliveries(
    *, caller: Caller, statuses: Sequence[str], ids: Collection[UUID] | None = None, dry_run: bool = False
) -> int:
    """Return ``failed`` or ``exhausted`` rows (those of ``ids``) to ``pending``, due now; how many.

    They get all attempts again. Rows that a worker is sending at this moment are left to it. Emits
    ``operator_action``, unless there was nothing to do.
    """
    moment = clock.now()
    free = Q(leased_until=None) | Q(leased_until__lte=moment)
    with transaction.atomic():
        rows = Delivery.objects.filter(free, status__in=statuses)
        if ids is not None:
            rows = rows.filter(id__in=ids)
        if dry_run:
            return rows.count()
        endpoints = set(rows.values_list("endpoint_id", flat=True).order_by().distinct())
        count = rows.update(
            status=Delivery.Status.PENDING, retry_count=0, next_attempt_at=moment, last_error=None
        )
        nudge(endpoints)
        announce()
        _tell(caller, "deliveries_retried", count, statuses, sorted(map(str, endpoints)))
    return count


def purge_deliveries(
    *, caller: Caller, statuses: Sequence[str], endpoint_id: UUID | None = None, dry_run: bool = False
) -> int:
    """Delete rows (of one endpoint) that are ``delivered`` or ``exhausted``; how many. Events stay.

    Open rows are refused. Emits ``operator_action``, unless there was nothing to do.
    """
    if set(statuses) & set(OPEN_STATES):
        raise ValueError("only delivered and exhausted rows can be purged")
    with transaction.atomic():
        rows = Delivery.objects.filter(status__in=statuses)
        if endpoint_id is not None:
            rows = rows.filter(endpoint_id=endpoint_id)
        if dry_run:
            return rows.count()
        count = rows.delete()[0]
        _tell(caller, "deliveries_purged", count, statuses, [str(endpoint_id)] if endpoint_id else [])
    return count


def _tell(caller: Caller, action: str, count: int, statuses: Sequence[str], endpoints: list[str]) -> None:
    detail: dict[str, Any] = {"action": action, "count": count, "statuses": list(statuses)}
    if endpoints:
        detail["endpoint_ids"] = endpoints
    if count:
        record(NewEvent(EventType.OPERATOR_ACTION, "", operator=caller.name, detail=detail))
