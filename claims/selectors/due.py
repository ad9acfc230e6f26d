"""When something ends by itself: leases, idle sessions, offers, places in line."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min, Q

from claims.models import Claim
from queueing.models import IN_LINE, Ticket


def next_due(repo: str, now: datetime) -> datetime | None:
    """The moment at which the next lease, offer or place in a repository ends, or a ticket gets older than
    the boost; a past one when that has not been carried out yet. ``None``: nothing will.
    """
    open_claims = Claim.objects.filter(released_at__isnull=True, repository__name=repo)
    moments = [open_claims.aggregate(due=Min("expires_at"))["due"]]
    if settings.COORD.idle_timeout_sec:
        silent = open_claims.filter(last_activity__isnull=False).aggregate(due=Min("last_activity"))["due"]
        moments.append(_later(silent, settings.COORD.idle_timeout_sec))
    boost = settings.COORD.queue_age_boost_seconds
    waiting = Q(state="waiting")
    young = waiting & Q(enqueued_at__gte=now - timedelta(seconds=boost))
    line: dict[str, Any] = Ticket.objects.filter(repo=repo, state__in=IN_LINE).aggregate(
        offer=Min("offer_until", filter=Q(state="offered")),
        alive=Min("alive_until", filter=waiting),
        over=Min("expires_at", filter=waiting),
        young=Min("enqueued_at", filter=young),
    )
    moments += [line["offer"], line["alive"], line["over"]]
    if boost and line["young"] is not None:
        moments.append(_later(line["young"], boost) + timedelta(milliseconds=1))
    return min((moment for moment in moments if moment is not None), default=None)


def claim_ends(claim: Claim) -> datetime:
    """When a claim ends unless its holder does something."""
    if claim.last_activity is None or not settings.COORD.idle_timeout_sec:
        return claim.expires_at
    silent = timedelta(seconds=settings.COORD.idle_timeout_sec)
    return min(claim.expires_at, claim.last_activity + silent)


def _later(moment: Any, seconds: float) -> Any:
    return None if moment is None else moment + timedelta(seconds=seconds)
