"""Sessions, as their claims tell of them."""

from __future__ import annotations

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery

from claims.models import HoldingSession
from claims.selectors.listing import live
from common import clock


def holding_sessions() -> QuerySet[HoldingSession]:
    """One row per session with live claims: its newest one, with ``held``, the number of all."""
    now = clock.now()
    held = HoldingSession.objects.filter(live(now), session_id__isnull=False)
    newest = held.order_by().values("session_id").annotate(newest=Max("fence"), held=Count("id"))
    of_session = newest.filter(session_id=OuterRef("session_id"))
    return held.annotate(
        held=Subquery(of_session.values("held")), newest=Subquery(of_session.values("newest"))
    ).filter(fence=Subquery(of_session.values("newest")))
