"""Who waits for whom: the tickets that, directly or through others, wait for a party.

The search runs backwards from the party (who waits for what it holds, who waits for those, …), so that
it costs next to nothing when nobody waits for it, which is nearly always.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from claims.locks import idle_cutoff
from claims.models import Claim, Repository
from claims.parties import Party
from claims.scopes import ClaimRequest, Item, read_items
from common.caller import Caller
from patterns import parse
from queueing import selectors
from queueing.models import IN_LINE, Ticket


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


@dataclass(frozen=True, slots=True)
class Standing:
    """A ticket in line with its request parsed."""

    ticket: Ticket
    request: ClaimRequest

    @property
    def party(self) -> Party:
        """Who stands in line."""
        return self.request.party


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


def standing(repo: str, now: datetime, *, case_insensitive: bool) -> list[Standing]:
    """The repository's line in serving order."""
    return [
        Standing(ticket, request_of(ticket, case_insensitive=case_insensitive))
        for ticket in selectors.line(repo, now)
    ]


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


def may_be_waited_for(line: Sequence[Standing], now: datetime) -> set[str]:
    """The ids of those in line whose party holds something or stands in line elsewhere too; for all others
    nobody can be waiting.
    """
    engineers = {one.party.engineer for one in line}
    sessions = {one.party.session_id for one in line if one.party.session_id is not None}
    anyone = Q(engineer__in=engineers) | Q(session_id__in=sessions)
    held = Claim.objects.filter(anyone, released_at__isnull=True, expires_at__gt=now)
    places = Ticket.objects.filter(anyone, selectors.present(now), state__in=IN_LINE)
    by_session: Counter[str] = Counter()
    by_engineer: Counter[str] = Counter()
    without_session: Counter[str] = Counter()
    names = [*places.values_list("engineer", "session_id")]
    names += 2 * [*held.values_list("engineer", "session_id").distinct()]  # one's own place is one of them
    for engineer, session_id in names:
        by_engineer[engineer] += 1
        if session_id is None:
            without_session[engineer] += 1
        else:
            by_session[session_id] += 1
    return {
        one.ticket.id
        for one in line
        if (
            by_engineer[one.party.engineer]
            if one.party.session_id is None
            else by_session[one.party.session_id] + without_session[one.party.engineer]
        )
        > 1
    }


class Waits:
    """The backward search from one party, at one moment.

    ``held_only`` follows what is held (claims and open offers) and not the order of the line: these are
    the waits that no passing can resolve.
    """

    def __init__(self, party: Party, now: datetime, *, held_only: bool = False) -> None:
        self.party = party
        self.now = now
        self.held_only = held_only
        self._lines: dict[str, list[Standing]] = {}
        self._next_hop: dict[str, Link] = {}
        self._waiting: dict[str, Standing] = {}
        self._search()

    def __bool__(self) -> bool:
        """Whether anybody waits for the party."""
        return bool(self._waiting)

    def includes(self, party: Party, *, besides: str | None = None) -> bool:
        """Whether ``party`` waits, directly or through others, by another ticket than ``besides``."""
        return any(
            ticket_id != besides and self._is(waiter.party, party)
            for ticket_id, waiter in self._waiting.items()
        )

    def path_from(self, party: Party) -> list[Link]:
        """How ``party`` waits for the searched party, link by link; empty when it does not."""
        for standing_ in self._waiting.values():
            if self._is(standing_.party, party):
                return self._follow(standing_)
        return []

    def _follow(self, start: Standing) -> list[Link]:
        links = [self._next_hop[start.ticket.id]]
        while not self._is(self.party, links[-1].blocker):
            after = links[-1].blocker
            hop = next(s for s in self._waiting.values() if self._is(s.party, after))
            links.append(self._next_hop[hop.ticket.id])
        return links

    def _search(self) -> None:
        todo, seen = deque([self.party]), [self.party]
        while todo:
            blocker = todo.popleft()
            for waiter, link in self._waiting_for(blocker):
                if waiter.ticket.id in self._next_hop or self._is(waiter.party, self.party):
                    continue
                self._next_hop[waiter.ticket.id] = link
                self._waiting[waiter.ticket.id] = waiter
                if not any(self._is(waiter.party, other) for other in seen):
                    seen.append(waiter.party)
                    todo.append(waiter.party)

    def _waiting_for(self, blocker: Party) -> Iterator[tuple[Standing, Link]]:
        for claim in live_claims(blocker, self.now):
            held = item_of(claim, case_insensitive=claim.repository.case_insensitive)
            for waiter in self._waiters(claim.repository.name, blocker):
                if any(item.clashes(held) for item in waiter.request.items):
                    yield waiter, Link(waiter.party, blocker, claim.pattern, claim.id, waiter.ticket.repo)
        for ticket in selectors.tickets_of_party(blocker.engineer, blocker.session_id, self.now):
            if ticket.state == Ticket.State.OFFERED or not self.held_only:
                yield from self._behind(ticket, blocker)

    def _behind(self, ticket: Ticket, blocker: Party) -> Iterator[tuple[Standing, Link]]:
        line = self._line(ticket.repo)
        place = next((n for n, other in enumerate(line) if other.ticket.id == ticket.id), len(line))
        after = {other.ticket.id for other in line[place + 1 :]}
        for waiter in self._waiters(ticket.repo, blocker):
            if waiter.ticket.id in after and waiter.request.clashes(line[place].request):
                pattern = waiter.request.items[0].pattern.text
                yield waiter, Link(waiter.party, blocker, pattern, None, waiter.ticket.repo)

    def _waiters(self, repo: str, blocker: Party) -> Iterator[Standing]:
        for waiter in self._line(repo):
            if waiter.ticket.state == Ticket.State.WAITING and not self._is(waiter.party, blocker):
                yield waiter

    def _line(self, repo: str) -> list[Standing]:
        if repo not in self._lines:
            mode = Repository.objects.filter(name=repo).values_list("case_insensitive", flat=True).first()
            self._lines[repo] = standing(repo, self.now, case_insensitive=bool(mode))
        return self._lines[repo]

    @staticmethod
    def _is(one: Party, other: Party) -> bool:
        return one.is_same(other.engineer, other.session_id)
