"""Retention: the old end of the log is removed."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from common import clock
from webhooks.models import Delivery, Event, Trim

BATCH = 1000


def trim_events() -> int:
    """Remove events older than ``COORD_EVENT_RETENTION_DAYS`` with their outbox rows; how many.

    From the old end only and up to the first event that is young enough, so that what is left has no gaps.
    1000 per transaction: writers wait for one batch at most.
    """
    cutoff = clock.now() - timedelta(days=settings.COORD.event_retention_days)
    removed = 0
    while True:
        with transaction.atomic():
            head = Event.objects.order_by("seq").values_list("seq", "created_at")[:BATCH]
            old = []
            for seq, created_at in head:
                if created_at >= cutoff:
                    break
                old.append(seq)
            if not old:
                return removed
            Delivery.objects.filter(event_id__lte=old[-1]).delete()
            Event.objects.filter(seq__lte=old[-1]).delete()
            Trim.objects.update_or_create(id=1, defaults={"seq": old[-1]})
            removed += len(old)
