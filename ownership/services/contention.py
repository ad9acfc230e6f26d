"""Writing the contention log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction

from common import clock, wakeups
from ownership.models import Contention
from ownership.services.automatic import promote_later

ROWS_PER_INSERT = 500
BATCH = 1000
_RESOLVE = (
    f"UPDATE {Contention._meta.db_table} SET resolution = %s WHERE request_uid = %s"
    f" AND resolution NOT IN ('{Contention.Resolution.GRANTED_LATER}', '{Contention.Resolution.GAVE_UP}')"
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One refused item and one holder in its way. ``repo`` ``""`` is the null repository."""

    request_uid: str
    repo: str
    pattern: str
    attempted_by: str
    attempted_session_id: str | None
    claim_id: str
    holder_engineer: str
    holder_pattern: str
    resolution: str = ""


def log_contention(attempts: Sequence[Attempt]) -> None:
    """Write one row per attempt, in the caller's transaction: one statement per 500 attempts.

    With ``COORD_AUTO_PROMOTE_THRESHOLD`` set, a task that looks for new hotspots is queued after commit.
    """
    now = clock.now()
    Contention.objects.bulk_create(
        [
            Contention(
                request_uid=str(one.request_uid),
                repo=one.repo,
                pattern=one.pattern,
                attempted_by=one.attempted_by,
                attempted_session_id=one.attempted_session_id,
                claim_id=str(one.claim_id),
                holder_engineer=one.holder_engineer,
                holder_pattern=one.holder_pattern,
                resolution=one.resolution,
                created_at=now,
            )
            for one in attempts
        ],
        batch_size=ROWS_PER_INSERT,
    )
    if attempts:
        transaction.on_commit(lambda: wakeups.ring_local(wakeups.REFUSALS))
    for repo in dict.fromkeys(one.repo for one in attempts):
        promote_later(repo, [one.pattern for one in attempts if one.repo == repo])


def resolve_contention(request_uid: str, resolution: str) -> int:
    """Say what became of a request: ``waited``, ``granted_later`` or ``gave_up``. Returns the rows changed.

    A request that was granted or gave up stays so.
    """
    if resolution not in Contention.Resolution.values:
        raise ValueError(f"unknown resolution {resolution!r}")
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVE, [resolution, str(request_uid)])
        return int(cursor.rowcount)


def trim_contention() -> int:
    """Remove rows older than ``COORD_CONTENTION_RETENTION_DAYS``, 1000 per statement; how many."""
    cutoff = clock.now() - timedelta(days=settings.COORD.contention_retention_days)
    removed = 0
    while True:
        old = list(
            Contention.objects.filter(created_at__lt=cutoff)
            .order_by("id")
            .values_list("id", flat=True)[:BATCH]
        )
        if not old:
            return removed
        removed += Contention.objects.filter(id__in=old).delete()[0]
