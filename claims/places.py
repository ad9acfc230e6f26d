"""A repository's line as it is read: who stands in it, with parsed requests, and who meets what.

Every claim in a repository with a line reads that line, so reading is kept lean: what a ticket asks for
never changes and is parsed once per process; each reading fetches only what changes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, overload

from claims.parties import Party
from claims.scopes import ClaimRequest, Item, read_items
from common.rows import moment
from patterns import Pattern, candidate_prefixes, overlaps
from queueing import selectors
from queueing.models import Ticket

MOST_KEPT_ITEMS = 100_000
"""Parsed items that a process keeps; beyond, it starts anew."""


@dataclass(slots=True, eq=False)
class Standing:
    """A ticket in line with its request parsed. ``key`` sorts the line, ``level`` is the present one."""

    id: str
    state: str
    passed_over: int
    front: bool
    ends: Any
    place: int
    urgency: str
    enqueued_at: datetime
    party: Party
    request: ClaimRequest
    level: int = 0
    key: tuple[bool, int, int] = (True, 0, 0)

    @property
    def expires_at(self) -> datetime:
        """When its wait is over. Read where it is wanted: lines are long, and few ask."""
        end = moment(self.ends)
        if end is None:
            raise ValueError("a ticket's wait has an end")
        return end

    @property
    def offered(self) -> bool:
        """Whether its scopes are kept for it until it picks them up."""
        return self.state == Ticket.State.OFFERED


class Line(Sequence[Standing]):
    """A repository's line in serving order. ``gone`` are tickets that stood in it and have to be ended."""

    def __init__(self, repo: str, places: Sequence[Standing] = (), gone: Sequence[str] = ()) -> None:
        self.repo = repo
        self.gone = gone
        self._places = places
        self._asked: tuple[Party, tuple[Item, ...], list[Standing]] | None = None

    @overload
    def __getitem__(self, at: int) -> Standing: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Standing]: ...
    def __getitem__(self, at: int | slice) -> Standing | Sequence[Standing]:
        return self._places[at]

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Standing]:
        return iter(self._places)

    def clashing(self, request: ClaimRequest) -> list[Standing]:
        """Other parties' places for something that clashes with the request, in serving order."""
        asked = self._asked  # one call asks the same more than once
        if asked is not None and asked[0] == request.party and asked[1] == request.items:
            return asked[2]
        found = [self._places[at] for at in sorted(self._near(request)) if clash(request, self._places[at])]
        self._asked = (request.party, request.items, found)
        return found

    def any_clashing(self, request: ClaimRequest, *, before: int) -> Iterator[Standing]:
        """The same in no order: those at an index below ``before``, or with an offer."""
        for at in self._near(request):
            other = self._places[at]
            if (at < before or other.offered) and clash(request, other):
                yield other

    def meeting(self, patterns: Iterable[Pattern]) -> list[Standing]:
        """The places for something that overlaps one of the patterns, in serving order."""
        found: set[int] = set()
        for pattern in patterns:
            found.update(
                at
                for at in self._around(pattern)
                if at not in found
                and any(overlaps(item.pattern, pattern) for item in self._places[at].request.items)
            )
        return [self._places[at] for at in sorted(found)]

    def _near(self, request: ClaimRequest) -> Iterable[int]:
        if len(request.items) == 1:
            return self._around(request.items[0].pattern)
        return {at for item in request.items for at in self._around(item.pattern)}

    def _around(self, pattern: Pattern) -> Iterable[int]:
        """Indexes of all places that could meet the pattern: its prefix above or below one of theirs."""
        index, prefixes = self._index
        if not pattern.prefix:
            return range(len(self._places))
        keys = [prefix for prefix in candidate_prefixes(pattern) if prefix in index]
        low, high = bisect_left(prefixes, f"{pattern.prefix}/"), bisect_left(prefixes, f"{pattern.prefix}0")
        keys += prefixes[low:high]
        if len(keys) == 1:
            return index[keys[0]]
        return {at for key in keys for at in index[key]}

    @cached_property
    def _index(self) -> tuple[dict[str, list[int]], list[str]]:
        index: dict[str, list[int]] = {}
        for at, place in enumerate(self._places):
            for item in place.request.items:
                there = index.setdefault(item.pattern.prefix, [])
                if not there or there[-1] != at:
                    there.append(at)
        return index, sorted(index)


def clash(request: ClaimRequest, other: Standing) -> bool:
    """Whether another party's place is for something that clashes with the request."""
    party = other.party
    return not request.party.is_same(party.engineer, party.session_id) and request.clashes(other.request)


def request_of(ticket: Ticket, *, case_insensitive: bool) -> ClaimRequest:
    """The request that a ticket keeps."""
    kept = ticket.request
    return ClaimRequest(
        repo=ticket.repo,
        party=Party(ticket.engineer, ticket.session_id),
        items=read_items(kept["items"], case_insensitive=case_insensitive),
        branch=kept["branch"],
        description=kept["description"],
        ttl_hours=kept["ttl_hours"],
        urgency=ticket.urgency,
    )


def read_line(repo: str, now: datetime, *, case_insensitive: bool) -> Line:
    """The repository's line as it is now."""
    in_line = selectors.places(repo, now)
    rows = [row for row in in_line if row.present]
    gone = [row.id for row in in_line if not row.present]
    if not rows:
        return Line(repo, gone=gone)
    kept = _kept_of([row.id for row in rows], case_insensitive)
    ranking = selectors.ranking(now)
    line = [
        Standing(row.id, row.state, row.passed_over, row.front, row.expires_at, *kept[row.id])
        for row in rows
        if row.id in kept  # read without the lock, it can be gone
    ]
    for one in line:
        one.level = ranking.level(one)
        one.key = ranking.key(one)
    line.sort(key=attrgetter("key"))
    return Line(repo, line, gone)


class _Kept(NamedTuple):
    """What of a ticket never changes."""

    place: int
    urgency: str
    enqueued_at: datetime
    party: Party
    request: ClaimRequest


_kept: dict[tuple[str, bool], _Kept] = {}
_kept_items = 0


def remember(ticket: Ticket, request: ClaimRequest, *, case_insensitive: bool) -> None:
    """Keep what a ticket asks for, parsed, for the readings to come."""
    global _kept_items
    if _kept_items + len(request.items) > MOST_KEPT_ITEMS:
        _kept.clear()
        _kept_items = 0
    _kept[ticket.id, case_insensitive] = _Kept(
        ticket.place, ticket.urgency, ticket.enqueued_at, request.party, request
    )
    _kept_items += len(request.items)


def _kept_of(ids: Sequence[str], case_insensitive: bool) -> dict[str, _Kept]:
    """What never changes of each ticket, from memory or, the first time, from the database."""
    found = {key: kept for key in ids if (kept := _kept.get((key, case_insensitive))) is not None}
    if len(found) < len(ids):
        for ticket in selectors.tickets_by_id([key for key in ids if key not in found]):
            request = request_of(ticket, case_insensitive=case_insensitive)
            remember(ticket, request, case_insensitive=case_insensitive)
            found[ticket.id] = _kept[ticket.id, case_insensitive]
    return found
