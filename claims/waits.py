"""Who waits for whom: the tickets that, directly or through others, wait for a party.

The search runs backwards from the party (who waits for what it holds, who waits for those, …), so that
it costs next to nothing when nobody waits for it, which is nearly always.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from claims.locks import idle_cutoff
from claims.models import Claim, Repository
from claims.parties import Party, Roll
from claims.places import Line, Standing, read_line
from claims.scopes import Item
from common.caller import Caller
from common.rows import marks, stored
from patterns import parse
from queueing import selectors
from queueing.models import Ticket


@dataclass(frozen=True, slots=True)
class Link:
    """One edge of the wait-for graph: ``waiter`` waits for ``pattern``, which ``blocker`` holds as
    ``claim_id`` or, when that is ``None``, stands before it in line for.
    """

    waiter: Party
    blocker: Party
    pattern: str
    claim_id: str | None
    repo: str

    def seen_by(self, caller: Caller, own: Party) -> Link:
        """The edge as the caller, asking for ``own``, may see it: others' doings elsewhere have no names."""
        if caller.sees(self.repo):
            return self
        waiter, blocker = (party if party == own else HIDDEN for party in (self.waiter, self.blocker))
        return Link(waiter, blocker, ELSEWHERE, None, "")


ELSEWHERE = "(in another repository)"
HIDDEN = Party("somebody")


_STANDING = f"SELECT engineer, session_id FROM {Ticket._meta.db_table} WHERE {{}} AND {selectors.PRESENT}"
_HOLDING = (
    f"SELECT DISTINCT engineer, session_id FROM {Claim._meta.db_table}"
    " WHERE {} AND released_at IS NULL AND NOT expires_at <= %s"
)


_HAS = (
    f"SELECT EXISTS (SELECT 1 FROM {Claim._meta.db_table} WHERE {{mine}} AND released_at IS NULL"
    " AND NOT expires_at <= %s AND (last_activity IS NULL OR last_activity > %s)),"
    f" EXISTS (SELECT 1 FROM {Ticket._meta.db_table} WHERE {{mine}} AND {selectors.PRESENT})"
)


def _has(party: Party, now: datetime) -> tuple[bool, bool]:
    """Whether a party holds anything now, and whether it stands in line, in any repository."""
    mine, names = selectors.of_party(party.engineer, party.session_id)
    at = stored(now)
    with connection.cursor() as cursor:
        cursor.execute(_HAS.format(mine=mine), [*names, at, stored(idle_cutoff(now)), *names, at, at, at])
        holds, stands = cursor.fetchone()
    return bool(holds), bool(stands)


def live_claims(party: Party, now: datetime) -> list[Claim]:
    """What a party holds now, in any repository."""
    mine = Q(engineer=party.engineer)
    if party.session_id is not None:
        mine = Q(session_id=party.session_id) | Q(session_id__isnull=True, engineer=party.engineer)
    return list(
        Claim.objects.filter(mine, released_at__isnull=True, expires_at__gt=now)
        .filter(Q(last_activity__isnull=True) | Q(last_activity__gt=idle_cutoff(now)))
        .select_related("repository")
        .prefetch_related("symbols")
    )


def item_of(claim: Claim, *, case_insensitive: bool) -> Item:
    """A held claim as the item that it was."""
    symbols = tuple(symbol.path for symbol in claim.symbols.all()) or None
    return Item(
        sent=claim.pattern,
        pattern=parse(claim.pattern, case_insensitive=case_insensitive),
        claim_type=claim.claim_type,
        symbols=symbols,
        narrowable_asked=claim.narrowable,
    )


def may_be_waited_for(places: Iterable[Standing], now: datetime) -> set[str]:
    """The ids of those in line whose party holds something or stands in line elsewhere too; for all others
    nobody can be waiting.
    """
    parties = {one.id: one.party for one in places}
    if not parties:
        return set()
    engineers = sorted({party.engineer for party in parties.values()})
    sessions = sorted({party.session_id for party in parties.values() if party.session_id is not None})
    anyone, names = f"engineer IN ({marks(engineers)})", engineers
    if sessions:
        anyone, names = f"({anyone} OR session_id IN ({marks(sessions)}))", [*engineers, *sessions]
    moment = stored(now)
    roll = Roll()
    with connection.cursor() as cursor:
        cursor.execute(_STANDING.format(anyone), [*names, moment, moment, moment])
        for engineer, session in cursor.fetchall():
            roll.add(engineer, session)
        cursor.execute(_HOLDING.format(anyone), [*names, moment])
        for engineer, session in cursor.fetchall():
            roll.add(engineer, session, times=2)  # one's own place is one of them
    return {ticket_id for ticket_id, party in parties.items() if roll.count(party) > 1}


class Waits:
    """The backward search from one party, at one moment.

    ``held_only`` follows what is held (claims and open offers) and not the order of the line: these are
    the waits that no passing can resolve. ``known`` is a line that was read already, in this transaction.
    """

    def __init__(
        self, party: Party, now: datetime, *, held_only: bool = False, known: Line | None = None
    ) -> None:
        self.party = party
        self.now = now
        self.held_only = held_only
        self._lines = {} if known is None else {known.repo: known}
        self._next_hop: dict[str, Link] = {}
        self._waiting: dict[str, Standing] = {}
        self._roll = Roll()
        self._searched = False

    def __bool__(self) -> bool:
        """Whether anybody waits for the party."""
        return any(not self._is(waiter.party, self.party) for waiter, _ in self._waiting_for(self.party))

    def includes(self, party: Party, *, besides: str | None = None) -> bool:
        """Whether ``party`` waits, directly or through others, by another ticket than its ``besides``."""
        self._search()
        return self._roll.count(party) > (besides in self._waiting)

    def among(self, places: Iterable[Standing]) -> set[str]:
        """The ids of those places whose party waits, directly or through others."""
        self._search()
        return {one.id for one in places if self._roll.count(one.party)} if self._waiting else set()

    def path_from(self, party: Party) -> list[Link]:
        """How ``party`` waits for the searched party, link by link; empty when it does not."""
        self._search()
        for waiter in self._waiting.values():
            if self._is(waiter.party, party):
                return self._follow(waiter)
        return []

    def _follow(self, start: Standing) -> list[Link]:
        links = [self._next_hop[start.id]]
        while not self._is(self.party, links[-1].blocker):
            after = links[-1].blocker
            hop = next(s for s in self._waiting.values() if self._is(s.party, after))
            links.append(self._next_hop[hop.id])
        return links

    def _search(self) -> None:
        if self._searched:
            return
        self._searched = True
        todo, seen = deque([self.party]), [self.party]
        while todo:
            found = self._note(self._waiting_for(todo.popleft()))
            while found:
                may = may_be_waited_for(found, self.now)
                for party in [waiter.party for waiter in found if waiter.id in may]:
                    if not any(self._is(party, other) for other in seen):
                        seen.append(party)
                        todo.append(party)
                found = [] if self.held_only else self._note(self._behind(found))

    def _note(self, waits: Iterable[tuple[Standing, Link]]) -> list[Standing]:
        """Keep the first way in which each was found to wait; returns who was not known to."""
        found = []
        for waiter, link in waits:
            if waiter.id in self._next_hop or self._is(waiter.party, self.party):
                continue
            self._next_hop[waiter.id] = link
            self._waiting[waiter.id] = waiter
            self._roll.add(waiter.party.engineer, waiter.party.session_id)
            found.append(waiter)
        return found

    def _waiting_for(self, blocker: Party) -> Iterator[tuple[Standing, Link]]:
        holds, stands = _has(blocker, self.now)  # nearly always neither
        for claim in live_claims(blocker, self.now) if holds else ():
            repo = claim.repository.name
            held = item_of(claim, case_insensitive=claim.repository.case_insensitive)
            for waiter in self._line(repo).meeting([held.pattern]):
                if waiter.offered or self._is(waiter.party, blocker):
                    continue
                if any(item.clashes(held) for item in waiter.request.items):
                    yield waiter, Link(waiter.party, blocker, claim.pattern, claim.id, repo)
        if not stands:
            return
        for ticket in selectors.tickets_of_party(blocker.engineer, blocker.session_id, self.now):
            if ticket.state == Ticket.State.OFFERED or not self.held_only:
                yield from self._behind([one for one in self._line(ticket.repo) if one.id == ticket.id])

    def _behind(self, places: Iterable[Standing]) -> Iterator[tuple[Standing, Link]]:
        """Who is not known to wait yet and stands behind one of these for the same."""
        rests: dict[str, Line] = {}
        for own in places:
            repo = own.request.repo
            if repo not in rests:
                rest = [one for one in self._line(repo) if not one.offered and one.id not in self._next_hop]
                rests[repo] = Line(repo, rest)
            for waiter in rests[repo].clashing(own.request):
                if waiter.key > own.key:
                    pattern = waiter.request.items[0].pattern.text
                    yield waiter, Link(waiter.party, own.party, pattern, None, repo)

    def _line(self, repo: str) -> Line:
        if repo not in self._lines:
            mode = Repository.objects.filter(name=repo).values_list("case_insensitive", flat=True).first()
            self._lines[repo] = read_line(repo, self.now, case_insensitive=bool(mode))
        return self._lines[repo]

    @staticmethod
    def _is(one: Party, other: Party) -> bool:
        return one.is_same(other.engineer, other.session_id)
