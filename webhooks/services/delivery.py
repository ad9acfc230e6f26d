"""Delivery: a worker takes an endpoint's next row, sends it, and writes down what came of it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from common import clock
from webhooks.models import OPEN_STATES, Delivery, Endpoint
from webhooks.selectors import may_be_due
from webhooks.services.environment import ENVIRONMENT
from webhooks.services.outbox import announce, nudge
from webhooks.signing import body_of, signature_headers

if TYPE_CHECKING:
    from webhooks import sending

log = logging.getLogger("coord.webhooks")

LEASE = timedelta(seconds=30)
"""How long a worker owns a row; three times the longest attempt."""
MAX_BACKOFF_S = 3600.0
TURN = 100
"""Rows of one endpoint that one task sends before it queues itself again, for the others' sake."""
PATIENCE_S = 1.0
"""How long a task waits for its endpoints; slow ones go on beside it, and the worker is free again."""

# One thread per endpoint being sent to: an endpoint that hangs holds up no other. Leases keep two
# threads off one endpoint.
_threads = ThreadPoolExecutor(32, thread_name_prefix="coord-deliver")


def deliver(endpoints: Sequence[str]) -> None:
    """Send the endpoints what is due, each on its own thread. Any number of workers may do so at once.

    Returns when all are done, or after a second; what is under way then goes on.
    """
    wait([_threads.submit(_on_thread, UUID(endpoint)) for endpoint in endpoints], PATIENCE_S)


def _on_thread(endpoint: UUID) -> None:
    try:
        drain_endpoint(endpoint)
    except Exception:
        log.exception("delivery to %s stopped; its row is retried when its lease ends", endpoint)
    finally:
        connection.close()


def deliver_due() -> int:
    """Queue a delivery task for each endpoint whose next row is due; how many tasks.

    For a timer, in any number of processes: an endpoint that a task is on its way to is skipped.
    """
    moment = clock.now()
    if not may_be_due(moment):
        return 0
    rows = Delivery.objects.filter(endpoint=OuterRef("pk"), status__in=OPEN_STATES).order_by("event_id", "id")
    head, test = rows.exclude(kind=Delivery.Kind.TEST), rows.filter(kind=Delivery.Kind.TEST)
    due = Endpoint.objects.filter(
        Q(pk__in=_due_ids(head, moment), paused=False) | Q(pk__in=_due_ids(test, moment))
    )
    with transaction.atomic():
        return nudge(due.values_list("pk", flat=True))


def _due_ids(head: QuerySet[Delivery], moment: datetime) -> QuerySet[Endpoint, UUID]:
    heads = Endpoint.objects.values_list(Subquery(head.values("pk")[:1]), flat=True)
    free = Q(leased_until=None) | Q(leased_until__lte=moment)
    return Delivery.objects.filter(free, pk__in=heads, next_attempt_at__lte=moment).values_list(  # type: ignore[return-value]
        "endpoint_id", flat=True
    )


def drain_endpoint(endpoint_id: UUID) -> int:
    """Send one endpoint its due rows in order, up to the first failure; how many were sent.

    Ends without waiting when another worker is sending to the endpoint: that one goes on to the rest.
    """
    # First, so that a row committed from now on queues a new task.
    Endpoint.objects.filter(pk=endpoint_id).update(nudged_until=None)
    for count in range(TURN):
        row = _claim_next(endpoint_id)
        if row is None:
            return count
        outcome = _attempt(row)
        if not _finish(row, outcome):
            return count + 1
    with transaction.atomic():
        nudge([endpoint_id])
    return TURN


def _claim_next(endpoint_id: UUID) -> Delivery | None:
    """Own the endpoint's next row, a test before the line; None when nothing is due or another owns it."""
    endpoint = Endpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        return None
    rows = Delivery.objects.filter(endpoint_id=endpoint_id, status__in=OPEN_STATES)
    claimed = _claim(rows.filter(kind=Delivery.Kind.TEST))
    if claimed is None and not endpoint.paused:
        busy = rows.exclude(kind=Delivery.Kind.TEST).filter(leased_until__gt=clock.now())
        if not busy.exists():
            claimed = _claim(rows.exclude(kind=Delivery.Kind.TEST))
    return claimed


def _claim(line: QuerySet[Delivery]) -> Delivery | None:
    """Compare-and-set the lease of the first row of the line, in one statement."""
    moment, owner = clock.now(), uuid.uuid4().hex
    free = Q(leased_until=None) | Q(leased_until__lte=moment)
    first = line.order_by("event_id", "id").values("pk")[:1]
    won = Delivery.objects.filter(
        free, pk=Subquery(first), status__in=OPEN_STATES, next_attempt_at__lte=moment
    ).update(lease_owner=owner, leased_until=moment + LEASE, last_attempt_at=moment)
    if not won:
        return None
    # Read after the lease: the URL, the secret and the filters are those of this moment.
    return line.select_related("endpoint", "event").filter(lease_owner=owner).first()


def _attempt(row: Delivery) -> sending.Outcome:
    event = row.event
    body = body_of(event.event_type, event.detail, event.created_at)
    moment = clock.now()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "coord",
        "X-Coord-Event-Type": event.event_type,
        "X-Coord-Event-Id": str(event.uid),
        "X-Coord-Event-Seq": str(event.seq),
        "X-Coord-Delivery-Id": str(row.id),
        **signature_headers(body, secrets_of(row.endpoint), int(moment.timestamp())),
    }
    from webhooks import sending  # its HTTP client takes long to load, and only workers send

    return sending.send(_url(row.endpoint), body, headers, allow_private=settings.COORD.webhook_allow_private)


def _url(endpoint: Endpoint) -> str:
    if endpoint.managed_by == ENVIRONMENT and settings.COORD.webhook_url:
        return str(settings.COORD.webhook_url)
    return endpoint.url


def secrets_of(endpoint: Endpoint) -> list[str]:
    """The secrets that sign now, the present one first; none for an unsigned endpoint."""
    if endpoint.managed_by == ENVIRONMENT:
        return [secret for secret in [settings.COORD.webhook_secret.get_secret_value()] if secret]
    secrets = [endpoint.secret] if endpoint.secret else []
    overlap = endpoint.previous_secret_until
    if secrets and endpoint.previous_secret and overlap is not None and clock.now() < overlap:
        secrets.append(endpoint.previous_secret)
    return secrets


def backoff_s(failures: int) -> float:
    """Seconds until the next attempt after so many failures: ``base * 2^(n-1)``, an hour at most."""
    base = float(settings.COORD.webhook_retry_backoff_sec)
    return min(base * 2.0 ** min(failures - 1, 30), max(MAX_BACKOFF_S, base))


def _finish(row: Delivery, outcome: sending.Outcome) -> bool:
    """Write the result, if the row is still this worker's; whether to go on with the endpoint."""
    moment = clock.now()
    values: dict[str, object] = {
        "response_status": outcome.status,
        "response_excerpt": outcome.excerpt,
        "last_error": outcome.error,
        "lease_owner": "",
        "leased_until": None,
    }
    if outcome.error is None:
        values |= {"status": Delivery.Status.DELIVERED, "delivered_at": moment}
    else:
        failures = row.retry_count + 1
        last = failures >= settings.COORD.webhook_max_retries or row.kind == Delivery.Kind.TEST
        values |= {
            "retry_count": failures,
            "status": Delivery.Status.EXHAUSTED if last else Delivery.Status.FAILED,
            "next_attempt_at": moment + timedelta(seconds=backoff_s(failures)),
        }
        log.warning("delivery %s to %s failed: %s", row.id, row.endpoint_id, outcome.error)
    kept = Delivery.objects.filter(pk=row.pk, lease_owner=row.lease_owner).update(**values)
    announce()
    return bool(kept) and values["status"] != Delivery.Status.FAILED
