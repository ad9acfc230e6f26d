"""A waiter's side of the line: look, pick up the offer, give up, say that it is still there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from claims import line
from claims.locks import Locked, glance, repository_lock
from claims.models import Claim
from claims.services import claiming, draining
from claims.services.activity import note_life
from claims.services.claiming import Outcome
from claims.services.ending import settle_due
from claims.verdicts import judge
from claims.waits import request_of
from common import clock, metrics
from common.caller import Caller
from common.errors import NotFound
from ownership.selectors import current_rules
from ownership.services import resolve_contention
from queueing import services as tickets
from queueing.models import Ticket


@dataclass(frozen=True, slots=True)
class Look:
    """What a waiter sees. ``state`` is the ticket's; ``reason`` says why it ended."""

    ticket: Ticket
    outcome: Outcome | None = None

    @property
    def state(self) -> str:
        """The ticket's state."""
        return self.ticket.state

    @property
    def reason(self) -> str:
        """Why the wait ended: ``timeout``, ``gone``, ``offer_lapsed`` or who cancelled."""
        return self.ticket.end_reason


def look(ticket_id: str, *, final: bool = False) -> Look:
    """See where a ticket stands and pick up its offer, if there is one, in the same transaction.

    ``final`` ends the wait when nothing is offered (the caller's time is up). A granted ticket answers
    with its claims, however often it is asked. Reads only, unless something is due.
    Raises :class:`NotFound` for an unknown ticket.
    """
    ticket = _ticket(ticket_id)
    now = clock.now()
    over = ticket.expires_at <= now or (ticket.offer_until is not None and ticket.offer_until <= now)
    if ticket.state == Ticket.State.OFFERED or (ticket.state == Ticket.State.WAITING and (final or over)):
        with repository_lock(ticket.repo, numbers=len(ticket.request["items"])) as locked:
            if locked.due:
                settle_due(locked)
            draining.drain(locked)
            ticket.refresh_from_db()
            if ticket.state == Ticket.State.OFFERED:
                return _pick_up(locked, ticket)
            if ticket.state == Ticket.State.WAITING and final:
                _give_up(locked, ticket, "timeout")
    if ticket.state == Ticket.State.GRANTED:
        return Look(ticket, _granted(ticket))
    return Look(ticket)


def cancel(ticket_id: str, *, reason: str, operator: str | None = None, note: str | None = None) -> bool:
    """Give a place up and serve those behind it; ``False`` when it is not in line any more."""
    ticket = Ticket.objects.filter(id=ticket_id).first()
    if ticket is None:
        return False
    with repository_lock(ticket.repo) as locked:
        ticket.refresh_from_db()
        cancelled = tickets.cancel(ticket, locked.now, reason, operator, note)
        if cancelled:
            resolve_contention(ticket.id, "gave_up")
            draining.drain(locked)
        return cancelled


def move_to_front(ticket_id: str, *, operator: str, reason: str) -> bool:
    """Put a ticket first (operators, with a reason) and serve the line; ``False`` when it does not wait."""
    ticket = _ticket(ticket_id)
    with repository_lock(ticket.repo) as locked:
        ticket.refresh_from_db()
        if ticket.state != Ticket.State.WAITING:
            return False
        tickets.move_to_front(ticket, operator=operator, reason=reason)
        draining.drain(locked)
        return True


def still_there(ticket_ids: list[str]) -> None:
    """The serving process says that these waiters are connected; a sign of life of their sessions too."""
    now = clock.now()
    with transaction.atomic():
        tickets.heartbeat(ticket_ids, now)
        named = Ticket.objects.filter(id__in=ticket_ids).values_list("session_id", flat=True).distinct()
        note_life([session for session in named if session], now)


def present_refusal(ticket: Ticket, now: datetime) -> Outcome:
    """Who stands in the ticket's way now, for answers and listings. Reads only."""
    seen = glance(ticket.repo)
    if seen is None:
        return Outcome(ticket.repo, now, ticket=ticket, position=1)
    request = request_of(ticket, case_insensitive=seen.case_insensitive)
    verdict = judge(claiming.question(seen, request, current_rules()), request.items)
    place, eta_s = line.position(ticket.repo, ticket, now)
    return Outcome(
        ticket.repo,
        now,
        conflicts=verdict.conflicts,
        ticket=ticket,
        position=place,
        eta_s=eta_s,
    )


def _pick_up(locked: Locked, ticket: Ticket) -> Look:
    request = request_of(ticket, case_insensitive=locked.case_insensitive)
    rules = current_rules()
    verdict = judge(claiming.question(locked, request, rules), request.items)
    if verdict.conflicts:
        # An operator may have granted something meanwhile: the waiter keeps its place.
        Ticket.objects.filter(id=ticket.id, state="offered").update(state="waiting", offer_until=None)
        ticket.refresh_from_db()
        return Look(ticket, present_refusal(ticket, locked.now))
    outcome = claiming.grant(locked, request, verdict, rules)
    ids = [claim.id for claim in outcome.claims]
    tickets.grant(ticket, locked.now, {"claim_ids": ids, "warnings": list(outcome.warnings)}, ids[0])
    resolve_contention(ticket.id, "granted_later")
    metrics.queue_wait((locked.now - ticket.enqueued_at).total_seconds())
    draining.drain(locked)
    return Look(ticket, replace(outcome, ticket=ticket))


def _give_up(locked: Locked, ticket: Ticket, reason: str) -> None:
    if tickets.expire(ticket, locked.now, reason):
        resolve_contention(ticket.id, "gave_up")
        draining.drain(locked)


def _granted(ticket: Ticket) -> Outcome:
    result = ticket.result or {}
    found = Claim.objects.in_bulk(result.get("claim_ids", []))
    claims = [found[claim_id] for claim_id in result.get("claim_ids", []) if claim_id in found]
    return Outcome(
        ticket.repo,
        clock.now(),
        claims=claims,
        warnings=result.get("warnings", []),
        ticket=ticket,
    )


def _ticket(ticket_id: str) -> Ticket:
    ticket = Ticket.objects.filter(id=ticket_id).first()
    if ticket is None:
        raise NotFound("No ticket has this queue id.", next="Claim again with wait_seconds to stand in line.")
    return ticket


def check_owner(ticket: Ticket, caller: Caller) -> bool:
    """Whether the caller may act on the ticket: its engineer's token, or one that proves no engineer."""
    return caller.engineer is None or caller.operator or caller.engineer == ticket.engineer
