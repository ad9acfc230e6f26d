"""Serving the line: whenever a scope becomes free, in the transaction that freed it."""

from __future__ import annotations

import uuid

from claims.locks import Locked
from claims.verdicts import Question, judge
from claims.waits import Standing, Waits, standing
from ownership.rules import RuleSet
from ownership.selectors import current_rules
from ownership.services import resolve_contention
from queueing import selectors
from queueing import services as tickets
from queueing.models import IN_LINE, Ticket


def drain(locked: Locked) -> int:
    """Offer to each ticket, in order, that no longer clashes with live claims or an earlier ticket.

    One walk serves as many as fit; the others stay in line. Ends tickets whose waiter is gone. Returns
    the number of offers. Emits ``queue_offer`` and ``queue_expire``; wakes who is offered or ended.
    """
    if not locked.line:
        return 0
    end_gone(locked)
    rules = current_rules()
    before: list[Standing] = []
    offers = 0
    for candidate in standing(locked.name, locked.now, case_insensitive=locked.case_insensitive):
        if candidate.ticket.state == Ticket.State.WAITING and _fits(locked, candidate, before, rules):
            offers += tickets.offer(candidate.ticket, locked.now)
        before.append(candidate)
    return offers


def end_gone(locked: Locked) -> None:
    """Expire the tickets whose waiter is gone, whose wait is over or whose offer was not picked up."""
    for ticket in selectors.gone(locked.name, locked.now):
        if ticket.state == Ticket.State.OFFERED:
            reason = "offer_lapsed"
        else:
            reason = "timeout" if ticket.expires_at <= locked.now else "gone"
        if tickets.expire(ticket, locked.now, reason):
            resolve_contention(ticket.id, "gave_up")


def repositories_with_a_line() -> list[str]:
    """Repositories in which somebody waits or has an offer that may be over."""
    return list(Ticket.objects.filter(state__in=IN_LINE).values_list("repo", flat=True).distinct())


def new_uid() -> str:
    """An id for one refused request, so that its contention rows count once."""
    return str(uuid.uuid4())


def _fits(locked: Locked, candidate: Standing, before: list[Standing], rules: RuleSet) -> bool:
    party = candidate.party
    in_front = []
    for other in before:
        if party.is_same(other.party.engineer, other.party.session_id):
            continue
        if candidate.request.clashes(other.request):
            if other.ticket.state == Ticket.State.OFFERED:
                return False
            in_front.append(other.ticket.id)
    if in_front:
        waits = Waits(party, locked.now)
        if not all(waits.includes(ticket_id) for ticket_id in in_front):
            return False
    question = Question(
        locked.id, locked.now, party, locked.case_insensitive, shared=rules.shared(locked.name)
    )
    return not judge(question, candidate.request.items).conflicts
