"""When something ends by itself: leases, idle sessions, offers, places in line."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from claims.models import Claim, ReleaseRequest, Repository
from common import clock
from common.rows import moment, stored
from queueing.models import Ticket

_OPEN = (
    f"FROM {Claim._meta.db_table} c JOIN {Repository._meta.db_table} r ON r.id = c.repository_id"
    " WHERE r.name = %s AND c.released_at IS NULL"
)
_DUE = (
    f"SELECT (SELECT MIN(c.expires_at) {_OPEN}),"
    f" (SELECT MIN(c.last_activity) {_OPEN} AND c.last_activity IS NOT NULL), line.*"
    " FROM (SELECT MIN(CASE WHEN state = 'offered' THEN offer_until END),"
    " MIN(CASE WHEN state = 'waiting' THEN alive_until END),"
    " MIN(CASE WHEN state = 'waiting' THEN expires_at END),"
    " CASE WHEN MIN(urgency) <> MAX(urgency)"
    " THEN MIN(CASE WHEN state = 'waiting' AND enqueued_at >= %s THEN enqueued_at END) END"
    f" FROM {Ticket._meta.db_table} WHERE repo = %s AND state IN ('waiting', 'offered')) line"
)


def next_due(repo: str, now: datetime) -> datetime | None:
    """The moment at which the next lease, offer or place in a repository ends, or a ticket gets older than
    the boost in a line of several urgencies (in one of a single urgency that changes nothing); a past one
    when an end has not been carried out yet. ``None``: nothing will.
    """
    idle, boost = settings.COORD.idle_timeout_sec, settings.COORD.queue_age_boost_seconds
    aged = stored(now - timedelta(seconds=boost))
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [repo, repo, aged, repo])
        lease, silent, offer, alive, over, young = map(moment, cursor.fetchone())
    moments = [lease, offer, alive, over]
    if idle:
        moments.append(_later(silent, idle))
    if boost:
        moments.append(_later(young, boost + 0.001))
    return min((moment for moment in moments if moment is not None), default=None)


def claim_ends(claim: Claim) -> datetime:
    """When a claim ends unless its holder does something."""
    if claim.last_activity is None or not settings.COORD.idle_timeout_sec:
        return claim.expires_at
    silent = timedelta(seconds=settings.COORD.idle_timeout_sec)
    return min(claim.expires_at, claim.last_activity + silent)


def decision_of(request: ReleaseRequest) -> tuple[str, datetime | None]:
    """A release request's decision and its moment; an open one ends with its claim, swept or not."""
    end = claim_ends(request.claim)
    if request.decision != ReleaseRequest.Decision.PENDING or clock.now() < end:
        return request.decision, request.decided_at
    cut = request.claim.shortened_from is not None
    return (ReleaseRequest.Decision.EXPIRED if cut else ReleaseRequest.Decision.RESOLVED), end


def _later(moment: Any, seconds: float) -> Any:
    return None if moment is None else moment + timedelta(seconds=seconds)
