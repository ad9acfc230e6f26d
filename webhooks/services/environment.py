"""The environment's receiver, and what the service prepares when it starts."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django_q.models import Schedule

from common import clock
from webhooks.models import OPEN_STATES, Delivery, Endpoint

log = logging.getLogger("coord.webhooks")

ENVIRONMENT = "environment"


def _event_types() -> list[str]:
    return [name.strip() for name in settings.COORD.webhook_events.split(",") if name.strip()]


def _is_current(endpoint: Endpoint) -> bool:
    return endpoint.url == settings.COORD.webhook_url and endpoint.event_types == _event_types()


def ensure_environment(endpoints: list[Endpoint], moment: datetime) -> list[Endpoint]:
    """The endpoints, with the environment's receiver as the settings describe it now. In a transaction.

    Without ``COORD_WEBHOOK_URL`` nothing changes: a command run without the service's environment must
    not remove the service's receiver (:func:`reconcile_environment` does that, when the service starts).
    """
    if not settings.COORD.webhook_url:
        return endpoints
    if any(endpoint.managed_by == ENVIRONMENT and _is_current(endpoint) for endpoint in endpoints):
        return endpoints
    values = {"url": settings.COORD.webhook_url, "event_types": _event_types(), "updated_at": moment}
    if not Endpoint.objects.filter(managed_by=ENVIRONMENT).update(**values):
        Endpoint.objects.bulk_create(
            [Endpoint(managed_by=ENVIRONMENT, created_at=moment, **values)], ignore_conflicts=True
        )
    return list(Endpoint.objects.all())


def reconcile_environment() -> None:
    """Make the environment's receiver what ``COORD_WEBHOOK_URL`` and ``_EVENTS`` say, or remove it.

    For the serving process's start. Removing drops the receiver's outbox; undelivered events are logged.
    """
    with transaction.atomic():
        if settings.COORD.webhook_url:
            ensure_environment(list(Endpoint.objects.filter(managed_by=ENVIRONMENT)), clock.now())
            return
        lost = Delivery.objects.filter(endpoint__managed_by=ENVIRONMENT, status__in=OPEN_STATES).count()
        removed, _ = Endpoint.objects.filter(managed_by=ENVIRONMENT).delete()
    if removed:
        log.warning("COORD_WEBHOOK_URL is gone: its receiver is removed with %d undelivered events", lost)


SCHEDULES = (
    ("webhooks: due deliveries", "webhooks.tasks.deliver_due", Schedule.MINUTES, 1),
    ("webhooks: retention", "webhooks.tasks.trim_events", Schedule.HOURLY, None),
)


def prepare() -> None:
    """What the service does once at start: the environment's receiver and the schedules. Idempotent."""
    reconcile_environment()
    for name, function, kind, minutes in SCHEDULES:
        Schedule.objects.get_or_create(
            name=name, defaults={"func": function, "schedule_type": kind, "minutes": minutes}
        )
