"""After a restore: numbers that were given since the backup are never given again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Max

from claims.models import Repository, Restore
from common import clock
from webhooks.services import skip_ahead

LEAP = 1_000_000_000
"""How far the counters jump: above anything given between a backup and its restore."""


def leap_ahead(by: int = LEAP) -> int:
    """Let every repository's counter, and the event log's, jump ahead; returns where new repositories'
    counters begin. Once after each restore, before the service starts.
    """
    with transaction.atomic():
        Repository.objects.update(counter=F("counter") + by)
        highest = Repository.objects.aggregate(most=Max("counter"))["most"] or 0
        earlier = Restore.objects.aggregate(most=Max("floor"))["most"] or 0
        floor = max(highest, earlier + by)
        Restore.objects.create(restored_at=clock.now(), floor=floor)
        skip_ahead(by)
    return int(floor)
