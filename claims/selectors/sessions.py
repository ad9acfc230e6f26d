"""Sessions, as their claims tell of them: whose they are, and what of them a caller may see."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery

from claims.models import Claim, HoldingSession
from claims.selectors.listing import live, seen_by
from common import clock
from common.caller import Caller
from queueing.models import IN_LINE, Ticket


def holding_sessions() -> QuerySet[HoldingSession]:
    """One row per session with live claims: one of them, with ``held``, the number of all."""
    live_claims = HoldingSession.objects.filter(live(clock.now()), session_id__isnull=False)
    sessions = live_claims.order_by().values("session_id")
    # Not correlated: looking the session up for each of its claims costs their number squared.
    shown = sessions.annotate(one=Max("id")).values("one")
    held = sessions.filter(session_id=OuterRef("session_id")).annotate(held=Count("id")).values("held")
    return live_claims.filter(id__in=shown).annotate(held=Subquery(held))


def session_holding(claim_id: str) -> HoldingSession | None:
    """The session that holds a claim, as :func:`holding_sessions` lists it."""
    its_session = Claim.objects.filter(id=claim_id).values("session_id")
    return holding_sessions().filter(session_id__in=its_session).first()


def claims_of_session(session_id: str, caller: Caller) -> QuerySet[Claim]:
    """A session's claims, ended ones too, as far as they are the caller's business."""
    claims = seen_by(caller, Claim.objects.filter(session_id=session_id))
    return claims if caller.bound_engineer is None else claims.filter(engineer=caller.bound_engineer)


def foreign_sessions(session_ids: Sequence[str], caller: Caller) -> set[str]:
    """Those of the sessions that hold or wait in another engineer's name, in the caller's repositories.

    Only a caller that is bound to an engineer can meet one.
    """
    if caller.bound_engineer is None or not session_ids:
        return set()
    claims = seen_by(caller, Claim.objects.filter(session_id__in=session_ids, released_at__isnull=True))
    tickets = Ticket.objects.filter(session_id__in=session_ids, state__in=IN_LINE)
    if caller.repositories is not None:
        tickets = tickets.filter(repo__in=caller.repositories)
    return {
        str(session)
        for rows in (claims, tickets)
        for session in rows.exclude(engineer=caller.bound_engineer).values_list("session_id", flat=True)
    }
