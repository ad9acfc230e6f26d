"""A waiter's side of the line: look, pick up the offer, give up, say that it is still there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from claims import line
from claims.locks import Locked, glance, repository_lock
from claims.models import Claim
from claims.places import Line, request_of
from claims.selectors.due import next_due
from claims.services import claiming, draining
from claims.services.activity import note_life
from claims.services.claiming import Outcome
from claims.services.ending import By, End, end_claims, settle_due
from claims.verdicts import judge
from common import clock, metrics
from common.caller import Caller
from common.errors import NotFound, TooMany
from ownership.selectors import current_rules
from ownership.services import resolve_contention
from queueing import selectors
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
    repo, state = _where(ticket_id)
    due = state == Ticket.State.WAITING and (final or _is_due(repo))
    return _see(ticket_id, repo, state, due=due, final=final)


def look_for_news(ticket_id: str) -> Look | None:
    """As :func:`look` when it is worth it: when the ticket was offered something or has ended, or something
    is due.
    """
    repo, state = _where(ticket_id)
    due = state == Ticket.State.WAITING and _is_due(repo)
    if state == Ticket.State.WAITING and not due:
        return None
    return _see(ticket_id, repo, state, due=due, final=False)


def _see(ticket_id: str, repo: str, state: str, *, due: bool, final: bool) -> Look:
    if state == Ticket.State.OFFERED or due:
        with repository_lock(repo, numbers=1) as locked:
            if locked.due:
                settle_due(locked)
            ticket = _ticket(ticket_id)
            if not _is_open_offer(ticket, locked.now):
                draining.drain(locked)
                ticket = _ticket(ticket_id)
            if ticket.state == Ticket.State.OFFERED:
                return _pick_up(locked, ticket)
            if ticket.state == Ticket.State.WAITING and final:
                _end(locked, ticket, "timeout")
    else:
        ticket = _ticket(ticket_id)
    if ticket.state == Ticket.State.GRANTED:
        return Look(ticket, _granted(ticket))
    return Look(ticket)


@contextmanager
def line_of(ticket_id: str) -> Iterator[None]:
    """Hold the lock of the repository in whose line the ticket stands."""
    with repository_lock(_where(ticket_id)[0]):
        yield


def abandon(ticket_id: str) -> None:
    """The waiter is gone: give its place up, or what was granted to it while it left.

    What its session has asked for again since then it knows of, and keeps.
    """
    if cancel(ticket_id, reason="disconnected"):
        return
    ticket = _ticket(ticket_id)
    if ticket.state == Ticket.State.GRANTED:
        with repository_lock(ticket.repo) as locked:
            until = (ticket.result or {}).get("new_until", {})
            leases = Claim.objects.filter(id__in=until).values_list("id", "expires_at")
            untold = [key for key, end in leases if end <= datetime.fromisoformat(until[key])]
            by = By(ticket.engineer, ticket.session_id, reason="disconnected")
            end_claims(locked, untold, End.RELEASED, by)


def leave(ticket_id: str) -> None:
    """The serving process stops: keep the place a short while for whoever sends the request again."""
    ticket = _ticket(ticket_id)
    with repository_lock(ticket.repo) as locked:
        tickets.leave(ticket, locked.now)


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
            draining.drain(locked, draining.patterns_of(ticket))
        return cancelled


def move_to_front(ticket_id: str, *, operator: str, reason: str) -> bool:
    """Put a ticket first (operators, with a reason) and serve the line; ``False`` when it does not wait."""
    ticket = _ticket(ticket_id)
    with repository_lock(ticket.repo) as locked:
        moved = tickets.move_to_front(ticket, operator=operator, reason=reason)
        if moved:
            draining.drain(locked)
        return moved


def still_there(bound: list[str], parked: list[str]) -> None:
    """The serving process says that these waiters are connected: keeps the places that are bound to their
    connection; a sign of life of the sessions of all that are parked.
    """
    now = clock.now()
    with transaction.atomic():
        tickets.heartbeat(bound, now)
        named = Ticket.objects.filter(id__in=parked).values_list("session_id", flat=True).distinct()
        note_life([session for session in named if session], now)


def present_refusal(ticket: Ticket, now: datetime, in_line: Line | None = None) -> Outcome:
    """Who stands in the ticket's way now, for answers and listings. Reads only.

    ``in_line`` is the repository's line when the caller has read it already.
    """
    seen = glance(ticket.repo)
    if seen is None:
        return Outcome(ticket.repo, now, ticket=ticket, position=1)
    request = request_of(ticket, case_insensitive=seen.case_insensitive)
    verdict = judge(claiming.question(seen, request, current_rules()), request.items)
    ahead = line.ahead_of(ticket, request, now, line.in_line(seen) if in_line is None else in_line)
    return Outcome(
        ticket.repo,
        now,
        conflicts=verdict.conflicts,
        behind=line.named(request, ahead) if not verdict.conflicts else (),
        ticket=ticket,
        position=len(ahead) + 1,
        eta_s=line.seconds_until_free(verdict, now),
    )


def _is_open_offer(ticket: Ticket, now: datetime) -> bool:
    """Whether what the ticket was offered can be picked up at once: the line is served afterwards."""
    return (
        ticket.state == Ticket.State.OFFERED and ticket.offer_until is not None and ticket.offer_until > now
    )


def _is_due(repo: str) -> bool:
    now = clock.now()
    due = next_due(repo, now)
    return due is not None and due <= now


def _pick_up(locked: Locked, ticket: Ticket) -> Look:
    request = request_of(ticket, case_insensitive=locked.case_insensitive)
    rules = current_rules()
    verdict = judge(claiming.question(locked, request, rules), request.items)
    if verdict.conflicts:
        # Something that the offer rested on has ended (an agreement, a shared rule): keep the place.
        tickets.withdraw_offer(ticket)
        return Look(ticket, present_refusal(ticket, locked.now))
    try:
        claiming.check_limit(request, verdict)
    except TooMany:
        _end(locked, ticket, "limit")
        return Look(ticket)
    locked.reserve(len(request.items))
    outcome = claiming.grant(locked, request, verdict, rules)
    ids = [claim.id for claim in outcome.claims]
    known = set(verdict.held.values())
    result = {
        "claim_ids": ids,
        "new_until": {
            claim.id: claim.expires_at.isoformat() for claim in outcome.claims if claim.id not in known
        },
        "warnings": list(outcome.warnings),
    }
    tickets.grant(ticket, locked.now, result, ids[0])
    resolve_contention(ticket.id, "granted_later")
    metrics.queue_wait((locked.now - ticket.enqueued_at).total_seconds())
    draining.drain(locked, draining.patterns_of(ticket))  # a claim may let in whom an offer kept out
    return Look(ticket, replace(outcome, ticket=ticket))


def _end(locked: Locked, ticket: Ticket, reason: str) -> None:
    if tickets.expire(ticket, locked.now, reason):
        resolve_contention(ticket.id, "gave_up")
        draining.drain(locked, draining.patterns_of(ticket))


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


def _where(ticket_id: str) -> tuple[str, str]:
    found = selectors.where(ticket_id)
    if found is None:
        raise _unknown()
    return found


def _ticket(ticket_id: str) -> Ticket:
    ticket = Ticket.objects.filter(id=ticket_id).first()
    if ticket is None:
        raise _unknown()
    return ticket


def _unknown() -> NotFound:
    return NotFound("No ticket has this queue id.", next="Claim again with wait_seconds to stand in line.")


def check_owner(ticket: Ticket, caller: Caller) -> bool:
    """Whether the caller may act on the ticket: its engineer's token, or one that proves no engineer."""
    return caller.bound_engineer in (None, ticket.engineer)
