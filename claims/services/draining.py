"""Serving the line: whenever a scope becomes free, in the transaction that freed it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from functools import cached_property

from claims import line
from claims.locks import Locked
from claims.verdicts import Question, judge
from claims.waits import Standing, Waits, may_be_waited_for, standing
from ownership.selectors import current_rules
from ownership.services import resolve_contention
from patterns import Pattern, overlaps, parse
from queueing import selectors
from queueing import services as tickets
from queueing.models import IN_LINE, Ticket


def drain(locked: Locked, freed: Iterable[str] | None = None) -> int:
    """Offer to each ticket, in order, that no longer clashes with live claims or an earlier ticket.

    ``freed``: the patterns that became free, when nothing else can have changed; only tickets for those
    are looked at. One walk serves as many as fit; the others stay in line. Ends tickets whose waiter is
    gone. Returns the number of offers. Emits ``queue_offer`` and ``queue_expire``; wakes who is offered
    or ended.
    """
    if not locked.line:
        return 0
    left = end_gone(locked)
    in_line = standing(locked.name, locked.now, case_insensitive=locked.case_insensitive)
    walk = _Walk(locked, in_line)
    scopes = None
    if freed is not None:
        texts = {*freed, *(text for ticket in left for text in patterns_of(ticket))}
        scopes = [parse(text, case_insensitive=locked.case_insensitive) for text in texts]
    offers = 0
    for candidate in in_line:
        if scopes is not None and not _concerns(candidate, scopes):
            continue
        if candidate.ticket.state == Ticket.State.WAITING and walk.fits(candidate):
            offers += tickets.offer(candidate.ticket, locked.now)
            tickets.note_passed(_passed_by(candidate, in_line))
    return offers


def end_gone(locked: Locked) -> list[Ticket]:
    """Expire the tickets whose waiter is gone, whose wait is over or whose offer was not picked up."""
    ended = []
    for ticket in selectors.gone(locked.name, locked.now):
        if ticket.state == Ticket.State.OFFERED:
            reason = "offer_lapsed"
        else:
            reason = "timeout" if ticket.expires_at <= locked.now else "gone"
        if tickets.expire(ticket, locked.now, reason):
            resolve_contention(ticket.id, "gave_up")
            ended.append(ticket)
    return ended


def patterns_of(ticket: Ticket) -> list[str]:
    """The patterns that a ticket stands for."""
    return [str(item["pattern"]) for item in ticket.request["items"]]


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


def _concerns(candidate: Standing, scopes: list[Pattern]) -> bool:
    return any(overlaps(item.pattern, scope) for item in candidate.request.items for scope in scopes)


class _Walk:
    """What one walk along the line needs more than once."""

    def __init__(self, locked: Locked, in_line: list[Standing]) -> None:
        self.locked = locked
        self.in_line = in_line
        self.place = {one.ticket.id: number for number, one in enumerate(in_line)}
        self.shared = current_rules().shared(locked.name, case_insensitive=locked.case_insensitive)

    @cached_property
    def _awaited(self) -> set[str]:
        return may_be_waited_for(self.in_line, self.locked.now)

    def fits(self, candidate: Standing) -> bool:
        """Whether the candidate may have all it asks for now."""
        own, party = candidate.ticket.id, candidate.party
        if own not in self._awaited:
            return not any(self._in_the_way(candidate)) and self._is_free(candidate)
        in_front = list(self._in_the_way(candidate))
        if any(other.ticket.state == Ticket.State.OFFERED for other in in_front):
            return False
        if in_front:
            waits = Waits(party, self.locked.now)
            if not all(waits.includes(other.party) for other in in_front):
                return False
        clashing = [other for other in self.in_line if self._clash(candidate, other)]
        if line.must_go_first(candidate.request, clashing, self.locked.now, own=own):
            return False
        return self._is_free(candidate)

    def _in_the_way(self, candidate: Standing) -> Iterator[Standing]:
        """Those for the same that stand before the candidate, or have an offer."""
        place = self.place[candidate.ticket.id]
        for number, other in enumerate(self.in_line):
            offered = other.ticket.state == Ticket.State.OFFERED
            if (number < place or offered) and self._clash(candidate, other):
                yield other

    @staticmethod
    def _clash(candidate: Standing, other: Standing) -> bool:
        return not candidate.party.is_same(
            other.party.engineer, other.party.session_id
        ) and candidate.request.clashes(other.request)

    def _is_free(self, candidate: Standing) -> bool:
        question = Question(
            self.locked.id,
            self.locked.now,
            candidate.party,
            self.locked.case_insensitive,
            shared=self.shared,
        )
        return not judge(question, candidate.request.items).conflicts
