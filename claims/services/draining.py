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
    in_line = standing(locked.name, locked.now, case_insensitive=locked.case_insensitive)
    offers = 0
    for number, candidate in enumerate(in_line):
        waits = candidate.ticket.state == Ticket.State.WAITING
        if waits and _fits(locked, candidate, in_line[:number], rules):
            offers += tickets.offer(candidate.ticket, locked.now)
            tickets.note_passed(_passed_by(candidate, in_line))
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


def _passed_by(served: Standing, in_line: list[Standing]) -> list[Ticket]:
    """Those who came earlier for the same and still wait."""
    return [
        other.ticket
        for other in in_line
        if other.ticket.state == Ticket.State.WAITING
        and other.ticket.place < served.ticket.place
        and not served.party.is_same(other.party.engineer, other.party.session_id)
        and served.request.clashes(other.request)
    ]


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
        locked.id,
        locked.now,
        party,
        locked.case_insensitive,
        shared=rules.shared(locked.name, case_insensitive=locked.case_insensitive),
    )
    return not judge(question, candidate.request.items).conflicts
