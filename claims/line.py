"""What the line means for a request: who stands before it, whom it passes, where it stands.

A place in line reserves the whole request. A newcomer whose scopes clash with those of a waiting ticket
of its level or above stands behind it; it may pass only tickets that (directly or through others) wait
for the newcomer itself, because they cannot be served before it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from claims.locks import Locked
from claims.models import Repository
from claims.scopes import ClaimRequest
from claims.verdicts import Question, Verdict, judge
from claims.waits import Link, Standing, Waits, request_of, standing
from ownership.selectors import current_rules
from queueing import selectors
from queueing import services as tickets
from queueing.models import Ticket
from queueing.ordering import LEVELS

__all__ = ["Behind", "Link", "closing_cycle", "note_passed", "position", "standing_before"]


@dataclass(frozen=True, slots=True)
class Behind:
    """A ticket that stands before a request for one of its items."""

    index: int
    sent: str
    ticket: Ticket
    pattern: str
    position: int


def standing_before(locked: Locked, request: ClaimRequest, verdict: Verdict) -> list[Behind]:
    """The tickets that a newcomer stands behind. What it holds already it need not stand in line for."""
    fresh = replace(
        request, items=tuple(item for n, item in enumerate(request.items) if n not in verdict.held)
    )
    if not fresh.items:
        return []
    before = [
        (number, other)
        for number, other in enumerate(_line(locked), start=1)
        if not request.party.is_same(other.ticket.engineer, other.ticket.session_id)
        and _outranks(other.ticket, request, locked.now)
        and fresh.clashes(other.request)
    ]
    if not before:
        return []
    waits = Waits(request.party, locked.now)
    return [
        _behind(request, other, number) for number, other in before if not waits.includes(other.ticket.id)
    ]


def note_passed(locked: Locked, request: ClaimRequest) -> None:
    """Count a grant that passes earlier tickets; enough of them put a ticket first."""
    tickets.note_passed(
        other.ticket
        for other in _line(locked)
        if other.ticket.state == Ticket.State.WAITING
        and not request.party.is_same(other.ticket.engineer, other.ticket.session_id)
        and request.clashes(other.request)
    )


def closing_cycle(
    locked: Locked, request: ClaimRequest, verdict: Verdict, behind: Sequence[Behind]
) -> list[Link]:
    """The wait-for cycle that this request would close by standing in line; empty when there is none."""
    waits = Waits(request.party, locked.now)
    first = [
        Link(request.party, conflict.holder.party, conflict.holder.pattern, conflict.holder.id)
        for conflict in verdict.conflicts
    ] + [
        Link(request.party, request_of(b.ticket, case_insensitive=False).party, b.pattern, None)
        for b in behind
    ]
    for link in first:
        path = waits.path_from(link.blocker)
        if path:
            return [link, *path]
    return []


def position(repo: str, ticket: Ticket, now: datetime) -> tuple[int, int | None]:
    """The ticket's true position among those that it clashes with (1 is next), and the seconds until the
    present holders' leases end at the latest, as an estimate.
    """
    row = Repository.objects.filter(name=repo).first()
    if row is None:
        return 1, None
    mine = request_of(ticket, case_insensitive=row.case_insensitive)
    ahead = 0
    for other in standing(repo, now, case_insensitive=row.case_insensitive):
        if other.ticket.id == ticket.id:
            break
        ahead += mine.clashes(other.request)
    question = Question(
        row.id,
        now,
        mine.party,
        row.case_insensitive,
        shared=current_rules().shared(repo, case_insensitive=row.case_insensitive),
    )
    conflicts = judge(question, mine.items).conflicts
    if not conflicts:
        return ahead + 1, None
    latest = max(conflict.holder.expires_at for conflict in conflicts)
    return ahead + 1, max(0, int((latest - now).total_seconds()))


def _line(locked: Locked) -> list[Standing]:
    return standing(locked.name, locked.now, case_insensitive=locked.case_insensitive)


def _outranks(ticket: Ticket, request: ClaimRequest, now: datetime) -> bool:
    if ticket.state == Ticket.State.OFFERED:
        return True
    return selectors.ticket_level(ticket, now) >= LEVELS.get(request.urgency, LEVELS["normal"])


def _behind(request: ClaimRequest, other: Standing, number: int) -> Behind:
    index, theirs = next(
        (index, theirs)
        for index, item in enumerate(request.items)
        for theirs in other.request.items
        if item.clashes(theirs) or theirs.clashes(item)
    )
    return Behind(index, request.items[index].sent, other.ticket, theirs.pattern.text, number)
