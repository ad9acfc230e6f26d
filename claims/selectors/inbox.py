"""Reading release requests, the line and a session's inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from claims import answers, line
from claims.locks import glance
from claims.models import Claim, Partnership, ReleaseRequest
from claims.places import Line
from claims.selectors.listing import live
from claims.selectors.sessions import claims_of_session
from claims.services.leases import Lost, lost_leases
from claims.services.waiting import present_refusal
from common import clock
from common.caller import Caller
from ownership.models import Contention
from queueing.models import IN_LINE, Ticket
from queueing.selectors import present

MOST_REQUESTS = 200
MOST_TICKETS = 100
MOST_INBOX = 100


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets to list. ``state`` empty is those still in line."""

    requester: str | None = None
    session_id: str | None = None
    repo: str | None = None
    state: str | None = None


def request_by_id(request_id: str, caller: Caller) -> ReleaseRequest | None:
    """One release request, if the caller may see it."""
    return _requests(caller).filter(id=request_id).first()


def list_requests(
    caller: Caller,
    *,
    requester: str | None = None,
    claim_id: str | None = None,
    decision: str | None = None,
    repo: str | None = None,
    session_id: str | None = None,
) -> list[dict[str, Any]]:
    """Release requests, newest first, with their claim's present state."""
    asked = _requests(caller)
    for name, value in (
        ("requester_engineer", requester),
        ("claim_id", claim_id),
        ("requester_session_id", session_id),
    ):
        if value:
            asked = asked.filter(**{name: value})
    if decision:
        asked = asked.filter(_decided(decision))
    if repo is not None:
        asked = asked.filter(claim__repository__name=repo)
    return [
        {
            **answers.request_row(request, caller),
            "holder_engineer": request.claim.engineer,
            "holder_pattern": request.claim.pattern,
            "holder_repo": answers.repo_or_null(request.claim.repository.name),
            "claim_released_at": clock.iso(request.claim.released_at),
        }
        for request in asked.order_by("-created_at")[:MOST_REQUESTS]
    ]


def list_tickets(wanted: TicketFilter, caller: Caller) -> list[dict[str, Any]]:
    """Tickets, newest first, with true position and present blocker."""
    now = clock.now()
    tickets = Ticket.objects.all()
    if caller.repositories is not None:
        tickets = tickets.filter(repo__in=caller.repositories)
    for name in ("requester", "session_id", "repo"):
        value = getattr(wanted, name)
        if value is not None and (value or name == "repo"):
            tickets = tickets.filter(**{{"requester": "engineer"}.get(name, name): value})
    state = "offered" if wanted.state == "in_progress" else wanted.state or "waiting"
    tickets = tickets.filter(state=state)
    if state in IN_LINE:
        tickets = tickets.filter(present(now))
    lines: dict[str, Line] = {}
    return [
        ticket_entry(ticket, lines) for ticket in tickets.order_by("-place", "-enqueued_at")[:MOST_TICKETS]
    ]


def ticket_entry(ticket: Ticket, lines: dict[str, Line] | None = None) -> dict[str, Any]:
    """A ticket with its true position and present blocker. ``lines`` keeps each line that was read."""
    if ticket.state not in IN_LINE:
        return answers.queue_entry(ticket, 0, None)
    lines = {} if lines is None else lines
    if ticket.repo not in lines and (seen := glance(ticket.repo)) is not None:
        lines[ticket.repo] = line.in_line(seen)
    outcome = present_refusal(ticket, clock.now(), lines.get(ticket.repo))
    return answers.queue_entry(ticket, outcome.position, outcome)


def inbox_requests(session_id: str, caller: Caller) -> list[ReleaseRequest]:
    """Open requests to a session's live claims, newest first."""
    asked = _requests(caller).filter(_decided("pending"), claim__session_id=session_id)
    if caller.bound_engineer is not None:
        asked = asked.filter(claim__engineer=caller.bound_engineer)
    return list(asked.order_by("-created_at")[:MOST_INBOX])


def inbox(session_id: str, requests: list[ReleaseRequest], caller: Caller) -> list[dict[str, Any]]:
    """What a session should know: requests, refusals of others, narrowings, lost leases."""
    own = {claim.id: claim for claim in claims_of_session(session_id, caller).filter(live(clock.now()))}
    return [
        *(_request_entry(request, caller) for request in requests),
        *_refused(own, caller),
        *_narrowed(own),
        *(_lost_entry(lost) for lost in lost_leases(session_id, caller)),
    ]


def lost_entry(lost: Lost) -> dict[str, Any]:
    """A lost lease as the inbox and the heartbeat show it."""
    return _lost_entry(lost)


def _requests(caller: Caller) -> QuerySet[ReleaseRequest]:
    asked = ReleaseRequest.objects.select_related("claim__repository")
    if caller.repositories is None:
        return asked
    return asked.filter(claim__repository__name__in=caller.repositories)


def _decided(decision: str) -> Q:
    """Requests with this decision; an open one ends with its claim, swept or not."""
    pending, alive = Q(decision="pending"), live(clock.now(), "claim__")
    if decision == "pending":
        return pending & alive
    if decision in ("expired", "resolved"):
        uncut = decision == "resolved"
        return Q(decision=decision) | pending & ~alive & Q(claim__shortened_from__isnull=uncut)
    return Q(decision=decision)


def _request_entry(request: ReleaseRequest, caller: Caller) -> dict[str, Any]:
    return {
        "kind": "request",
        **answers.request_row(request, caller),
        "holder_engineer": request.claim.engineer,
        "holder_pattern": request.claim.pattern,
        "holder_repo": answers.repo_or_null(request.claim.repository.name),
    }


def _refused(own: dict[str, Claim], caller: Caller) -> list[dict[str, Any]]:
    rows = Contention.objects.filter(claim_id__in=list(own)).order_by("-created_at", "-id")[:MOST_INBOX]
    return [
        {
            "kind": "auto-conflict",
            "id": str(row.pk),
            "claim_id": row.claim_id,
            "attempted_by": row.attempted_by,
            "attempted_pattern": row.pattern,
            "attempted_session_id": caller.shown(row.attempted_session_id),
            "created_at": clock.iso(row.created_at),
            "holder_pattern": own[row.claim_id].pattern,
            "holder_engineer": own[row.claim_id].engineer,
        }
        for row in rows
    ]


def _narrowed(own: dict[str, Claim]) -> list[dict[str, Any]]:
    links = Partnership.objects.filter(
        live(clock.now(), "partner__"), holder_id__in=list(own), kind=Partnership.Kind.AUTO_NARROW
    ).select_related("partner")
    return [
        {
            "kind": "auto-narrow-notice",
            "id": str(link.pk),
            "claim_id": link.holder_id,
            "holder_pattern": own[link.holder_id].pattern,
            "holder_engineer": own[link.holder_id].engineer,
            "partner_claim_id": link.partner_id,
            "partner_engineer": link.partner.engineer,
            "file": link.pattern,
            "symbols": link.symbols,
            "created_at": clock.iso(link.created_at),
        }
        for link in links.order_by("-created_at")[:MOST_INBOX]
    ]


def _ran_out(claim: Claim) -> datetime:
    """When an open claim's lease or idle time ran out."""
    idle = settings.COORD.idle_timeout_sec
    if not idle or claim.last_activity is None:
        return claim.expires_at
    return min(claim.expires_at, claim.last_activity + timedelta(seconds=idle))


def _lost_entry(lost: Lost) -> dict[str, Any]:
    claim, holder = lost.claim, lost.holder
    return {
        "kind": "lease-lost",
        "id": claim.id,
        "claim_id": claim.id,
        "pattern": claim.pattern,
        "repo": answers.repo_or_null(claim.repository.name),
        "reason": claim.end_reason or ("expired" if claim.expires_at <= clock.now() else "idle"),
        "ended_at": clock.iso(claim.released_at or _ran_out(claim)),
        "held_now_by": holder.engineer if holder else None,
    }
