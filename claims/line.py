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
from itertools import islice

from claims.locks import Locked
from claims.places import Line, Standing, read_line
from claims.scopes import ClaimRequest, Item
from claims.verdicts import Verdict
from claims.waits import Link, Waits, may_be_waited_for
from queueing import selectors
from queueing import services as tickets
from queueing.models import Ticket
from queueing.ordering import LEVELS

MOST_BEHIND = 50
"""Places before a request that an answer names; the position counts all of them."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A ticket that stands before a request for one of its items."""

    index: int
    sent: str
    ticket: Standing
    pattern: str
    position: int
    expires_at: datetime


def in_line(locked: Locked) -> Line:
    """The repository's line in serving order."""
    if not locked.line:
        return Line(locked.name)
    return read_line(locked.name, locked.now, case_insensitive=locked.case_insensitive)


def standing_before(
    locked: Locked, request: ClaimRequest, verdict: Verdict, line: Line
) -> list[tuple[int, Standing]]:
    """The tickets that a newcomer stands behind, numbered among those for the same. What it holds already
    it need not stand in line for.
    """
    if not line:
        return []
    fresh = replace(
        request, items=tuple(item for n, item in enumerate(request.items) if n not in verdict.held)
    )
    if not fresh.items:
        return []
    clashing = line.clashing(fresh)
    if not clashing:
        return []
    first = {other.id for other in must_go_first(fresh, clashing, locked.now, line)}
    mine = LEVELS.get(request.urgency, LEVELS["normal"])
    before = [other for other in clashing if other.offered or other.level >= mine]
    if before:
        may_pass = Waits(request.party, locked.now, known=line).among(before)
        first |= {other.id for other in before if other.offered or other.id not in may_pass}
    return [(number, other) for number, other in enumerate(clashing, start=1) if other.id in first]


def must_go_first(
    request: ClaimRequest, clashing: Sequence[Standing], now: datetime, line: Line, *, own: str | None = None
) -> list[Standing]:
    """Those of ``clashing`` whose party the requester waits for (by another ticket than ``own``).

    A grant before them would close a cycle: they would wait for the requester, which waits for them.
    """
    if not selectors.waits_elsewhere(request.party.engineer, request.party.session_id, now, own):
        return []
    waiting = [other for other in clashing if not other.offered]
    may = may_be_waited_for(waiting, now) if waiting else set()
    return [
        other
        for other in waiting
        if other.id in may
        and Waits(other.party, now, held_only=True, known=line).includes(request.party, besides=own)
    ]


def note_passed(request: ClaimRequest, line: Line) -> bool:
    """Count a grant that passes others; enough of them put a ticket first. Whether any was passed."""
    passed = [other.id for other in line.clashing(request) if not other.offered]
    tickets.note_passed(passed)
    return bool(passed)


def closing_cycle(
    locked: Locked,
    request: ClaimRequest,
    verdict: Verdict,
    before: Sequence[tuple[int, Standing]],
    line: Line,
) -> list[Link]:
    """The wait-for cycle that this request would close by standing in line; empty when there is none.

    Only what is held counts (claims, and offers about to be): a cycle through the mere order of the line
    resolves itself, since a ticket passes those that wait for its party.
    """
    waits = Waits(request.party, locked.now, held_only=True, known=line)
    if not waits:
        return []
    first = [
        Link(request.party, conflict.holder.party, conflict.holder.pattern, conflict.holder.id, locked.name)
        for conflict in verdict.conflicts
    ] + [
        Link(request.party, other.party, _meeting(request, other)[1].pattern.text, None, locked.name)
        for _, other in before
        if other.offered
    ]
    for link in first:
        path = waits.path_from(link.blocker)
        if path:
            return [link, *path]
    return []


def ahead_of(ticket: Ticket, request: ClaimRequest, now: datetime, line: Line) -> list[tuple[int, Standing]]:
    """The tickets that stand before this one, for ``request``, for the same, numbered; also when it has left
    the line.
    """
    key = selectors.ranking(now).key(ticket)
    ahead = [other for other in line.clashing(request) if other.id != ticket.id and other.key < key]
    return list(enumerate(ahead, start=1))


def named(request: ClaimRequest, before: Iterable[tuple[int, Standing]]) -> list[Behind]:
    """The first of those that stand before a request, with what they stand there for."""
    found = []
    for number, other in islice(before, MOST_BEHIND):
        index, theirs = _meeting(request, other)
        sent, pattern = request.items[index].sent, theirs.pattern.text
        found.append(Behind(index, sent, other, pattern, number, other.expires_at))
    return found


def seconds_until_free(verdict: Verdict, now: datetime) -> int | None:
    """The seconds until the present holders' leases end at the latest, as an estimate."""
    if not verdict.conflicts:
        return None
    latest = max(conflict.holder.expires_at for conflict in verdict.conflicts)
    return max(0, int((latest - now).total_seconds()))


def _meeting(request: ClaimRequest, other: Standing) -> tuple[int, Item]:
    """The first item of the request that clashes with one of the other's, and that one."""
    return next(
        (index, theirs)
        for index, item in enumerate(request.items)
        for theirs in other.request.items
        if item.excludes(theirs)
    )
