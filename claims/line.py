"""What the line means for a request: who stands before it, whom it passes, where it stands.

A place in line reserves the whole request. A newcomer whose scopes clash with those of a waiting ticket
of its level or above stands behind it; it may pass only parties that (directly or through others) wait
for the newcomer itself, because they cannot be served before it is done. And it lets a party go first
that it waits for itself, whatever the levels: else each would come to hold what the other waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from claims.locks import Locked
from claims.models import Repository
from claims.parties import Party
from claims.scopes import ClaimRequest
from claims.verdicts import Verdict
from claims.waits import Link, Standing, Waits, request_of, standing
from queueing import selectors
from queueing import services as tickets
from queueing.models import Ticket
from queueing.ordering import LEVELS

__all__ = [
    "Behind",
    "Link",
    "Standing",
    "ahead_of",
    "awaited",
    "closing_cycle",
    "in_line",
    "must_go_first",
    "note_passed",
    "seconds_until_free",
    "standing_before",
]


@dataclass(frozen=True, slots=True)
class Behind:
    """A ticket that stands before a request for one of its items."""

    index: int
    sent: str
    ticket: Ticket
    pattern: str
    position: int


def in_line(locked: Locked) -> list[Standing]:
    """The repository's line in serving order."""
    if not locked.line:
        return []
    return standing(locked.name, locked.now, case_insensitive=locked.case_insensitive)


def standing_before(
    locked: Locked, request: ClaimRequest, verdict: Verdict, line: Sequence[Standing]
) -> list[Behind]:
    """The tickets that a newcomer stands behind. What it holds already it need not stand in line for."""
    fresh = replace(
        request, items=tuple(item for n, item in enumerate(request.items) if n not in verdict.held)
    )
    if not fresh.items:
        return []
    clashing = [other for other in line if _clash(fresh, other)]
    if not clashing:
        return []
    first = {other.ticket.id for other in must_go_first(fresh, clashing, locked.now)}
    before = [other for other in clashing if _outranks(other.ticket, request, locked.now)]
    if before:
        waits = Waits(request.party, locked.now)
        first |= {other.ticket.id for other in before if not _may_pass(other, waits)}
    return [
        _behind(request, other, number)
        for number, other in enumerate(clashing, start=1)
        if other.ticket.id in first
    ]


def must_go_first(
    request: ClaimRequest, clashing: Iterable[Standing], now: datetime, *, own: str | None = None
) -> list[Standing]:
    """Those in line for the same whose party the requester waits for (by another ticket than ``own``).

    A grant before them would close a cycle: they would wait for the requester, which waits for them.
    """
    if not selectors.waits_elsewhere(request.party.engineer, request.party.session_id, now, own):
        return []
    return [
        other
        for other in clashing
        if other.ticket.state == Ticket.State.WAITING
        and Waits(other.party, now, held_only=True).includes(request.party, besides=own)
    ]


def awaited(party: Party, now: datetime) -> bool:
    """Whether anybody waits for the party."""
    return bool(Waits(party, now))


def note_passed(request: ClaimRequest, line: Sequence[Standing]) -> bool:
    """Count a grant that passes others; enough of them put a ticket first. Whether any was passed."""
    passed = [
        other.ticket
        for other in line
        if other.ticket.state == Ticket.State.WAITING and _clash(request, other)
    ]
    tickets.note_passed(passed)
    return bool(passed)


def closing_cycle(
    locked: Locked, request: ClaimRequest, verdict: Verdict, behind: Sequence[Behind]
) -> list[Link]:
    """The wait-for cycle that this request would close by standing in line; empty when there is none.

    Only what is held counts (claims, and offers about to be): a cycle through the mere order of the line
    resolves itself, since a ticket passes those that wait for its party.
    """
    waits = Waits(request.party, locked.now, held_only=True)
    if not waits:
        return []
    first = [
        Link(request.party, conflict.holder.party, conflict.holder.pattern, conflict.holder.id, locked.name)
        for conflict in verdict.conflicts
    ] + [
        Link(request.party, request_of(b.ticket, case_insensitive=False).party, b.pattern, None, locked.name)
        for b in behind
        if b.ticket.state == Ticket.State.OFFERED
    ]
    for link in first:
        path = waits.path_from(link.blocker)
        if path:
            return [link, *path]
    return []


def ahead_of(ticket: Ticket, now: datetime, line: Sequence[Standing] | None = None) -> list[Behind]:
    """The tickets that stand before this one for the same, in order; also when it has left the line.

    ``line`` is the line as it was read already.
    """
    folded = Repository.objects.filter(name=ticket.repo).values_list("case_insensitive", flat=True).first()
    mine = request_of(ticket, case_insensitive=bool(folded))
    key = selectors.key(ticket, now)
    if line is None:
        line = standing(ticket.repo, now, case_insensitive=bool(folded))
    ahead = [
        other
        for other in line
        if other.ticket.id != ticket.id and selectors.key(other.ticket, now) < key and _clash(mine, other)
    ]
    return [_behind(mine, other, number) for number, other in enumerate(ahead, start=1)]


def seconds_until_free(verdict: Verdict, now: datetime) -> int | None:
    """The seconds until the present holders' leases end at the latest, as an estimate."""
    if not verdict.conflicts:
        return None
    latest = max(conflict.holder.expires_at for conflict in verdict.conflicts)
    return max(0, int((latest - now).total_seconds()))


def _clash(request: ClaimRequest, other: Standing) -> bool:
    """Whether another party's ticket is for something that clashes with the request."""
    return not request.party.is_same(other.ticket.engineer, other.ticket.session_id) and request.clashes(
        other.request
    )


def _may_pass(other: Standing, waits: Waits) -> bool:
    return other.ticket.state == Ticket.State.WAITING and waits.includes(other.party)


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
