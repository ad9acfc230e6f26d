"""The promises, checked from the outside: rows and events against brute force, sharing no code with the
services that decide. Patterns are compared by the paths of a small tree that they cover.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db.models import Q

from claims.models import Claim, Partnership, ReleaseRequest, Repository
from patterns import matches, parse
from queueing.models import IN_LINE, Ticket
from queueing.ordering import LEVELS
from tests.webhooks.replay import State

TREE = ("a.py", "b.py", "src/a.py", "src/b.py", "src/lib/c.py", "docs/x.md")
PATTERNS = ("a.py", "b.py", "src/a.py", "src/lib", "src/*.py", "src/**", "**/*.py")
SYMBOLS = ("A", "A::run", "B")
Who = tuple[str, str | None]


@cache
def paths(pattern: str) -> frozenset[str]:
    """What a pattern covers in the tree."""
    return frozenset(path for path in TREE if matches(parse(pattern), path))


def meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether symbols are equal or one is inside another."""
    return any(a == b or a.startswith(b + "::") or b.startswith(a + "::") for a in one for b in other)


@dataclass(frozen=True)
class Scope:
    """A claim or an item, as far as it matters for who may be beside it."""

    who: Who
    paths: frozenset[str]
    symbols: tuple[str, ...]
    narrowable: bool
    claim_id: str = ""

    def blocks(self, wanted: Scope) -> set[str]:
        """The paths on which this holder stands in the way of what is wanted, agreements aside."""
        common = set(self.paths & wanted.paths)
        if not wanted.symbols:
            return common
        if not self.symbols:
            return set() if self.narrowable else common
        return common if meet(self.symbols, wanted.symbols) else set()


def scope_of(claim: Claim) -> Scope:
    symbols = tuple(symbol.path for symbol in claim.symbols.all())
    return Scope(
        (claim.engineer, claim.session_id),
        paths(claim.pattern),
        symbols,
        claim.narrowable and not symbols,
        claim.id,
    )


def wanted_by(ticket: Ticket) -> list[Scope]:
    return [
        Scope(
            (ticket.engineer, ticket.session_id),
            paths(item["pattern"]),
            tuple(item["symbols"] or ()),
            not item["symbols"],
        )
        for item in ticket.request["items"]
    ]


def clash(one: list[Scope], other: list[Scope]) -> bool:
    """Whether two requests cannot both be granted."""
    return any(a.blocks(b) or b.blocks(a) for a in one for b in other)


@dataclass
class World:
    """One repository's rows at one moment."""

    repo: str
    now: datetime
    claims: list[Claim] = field(default_factory=list)
    line: list[Ticket] = field(default_factory=list)

    def __post_init__(self) -> None:
        idle = self.now - timedelta(seconds=settings.COORD.idle_timeout_sec)
        self.claims = list(
            Claim.objects.filter(repository__name=self.repo, released_at=None, expires_at__gt=self.now)
            .filter(Q(last_activity=None) | Q(last_activity__gt=idle))
            .order_by("fence")
            .prefetch_related("symbols")
        )
        self.scopes = [scope_of(claim) for claim in self.claims]
        self.line = sorted(Ticket.objects.filter(repo=self.repo, state__in=IN_LINE), key=self.order)
        self.links: dict[frozenset[str], list[Partnership]] = defaultdict(list)
        for link in Partnership.objects.filter(holder__repository__name=self.repo):
            self.links[frozenset((link.holder_id, link.partner_id))].append(link)

    def order(self, ticket: Ticket) -> tuple[int, int]:
        """Urgency (a level more with age, first of all when passed too often), then arrival."""
        aged = self.now - ticket.enqueued_at > timedelta(seconds=settings.COORD.queue_age_boost_seconds)
        first = ticket.front or ticket.passed_over >= settings.COORD.queue_max_overtakes
        return (-9 if first else -(LEVELS[ticket.urgency] + aged), ticket.place)

    def agreed(self, one: Scope, other: Scope) -> set[str]:
        """The paths on which two claims were agreed to coexist, symbols included."""
        found: set[str] = set()
        for link in self.links[frozenset((one.claim_id, other.claim_id))]:
            if link.kind == Partnership.Kind.COEXIST:
                found |= paths(link.pattern)
        return found

    def allowed(self, wanted: Scope, holder: Scope) -> set[str]:
        """The paths on which a party may be beside a holder because it has a claim that was agreed to."""
        found: set[str] = set()
        for scope in self.scopes:
            if scope.who == wanted.who:
                for link in self.links[frozenset((scope.claim_id, holder.claim_id))]:
                    fits = not link.symbols or (
                        wanted.symbols
                        and all(
                            any(s == a or s.startswith(a + "::") for a in link.symbols)
                            for s in wanted.symbols
                        )
                    )
                    if link.kind == Partnership.Kind.COEXIST and fits:
                        found |= paths(link.pattern)
        return found

    def holders_against(self, wanted: list[Scope]) -> list[Scope]:
        """The live claims that a request has to wait for."""
        return [
            held
            for held in self.scopes
            if any(item.who != held.who and held.blocks(item) - self.allowed(item, held) for item in wanted)
        ]


def check_exclusive(world: World) -> None:
    for n, one in enumerate(world.scopes):
        for other in world.scopes[n + 1 :]:
            if one.who == other.who:
                continue
            first, second = sorted((one, other), key=lambda s: bool(s.symbols))
            common = set(one.paths & other.paths)
            if one.symbols and other.symbols and not meet(one.symbols, other.symbols):
                continue
            kinds = {link.kind for link in world.links[frozenset((one.claim_id, other.claim_id))]}
            carved = first.narrowable and second.symbols and Partnership.Kind.AUTO_NARROW in kinds
            assert not common or carved or common <= world.agreed(one, other), (
                f"{one.who} and {other.who} both hold {common}"
            )


def check_line(world: World) -> None:
    """Nobody waits who could be granted; no offer and no place outlives its time."""
    for number, ticket in enumerate(world.line):
        if ticket.state == "offered":
            assert ticket.offer_until > world.now, "an offer outlived its time"
            continue
        assert ticket.alive_until > world.now, "a vanished waiter is still in line"
        assert ticket.expires_at > world.now, "a wait that is over is still in line"
        mine = wanted_by(ticket)
        who = mine[0].who
        others = [(n, other) for n, other in enumerate(world.line) if wanted_by(other)[0].who != who]
        in_the_way = [
            other
            for n, other in others
            if (n < number or other.state == "offered") and clash(mine, wanted_by(other))
        ]
        elsewhere = Ticket.objects.filter(engineer=who[0], session_id=who[1], state="waiting").count() > 1
        if not in_the_way and not elsewhere:
            assert world.holders_against(mine), f"{who} waits for {ticket.request['items']} in vain"


def edges(worlds: list[World]) -> set[tuple[Who, Who]]:
    """Who waits for what whom holds."""
    found = set()
    for world in worlds:
        for ticket in world.line:
            if ticket.state == "waiting":
                wanted = wanted_by(ticket)
                found |= {(wanted[0].who, held.who) for held in world.holders_against(wanted)}
    return found


def offer_edges(worlds: list[World]) -> set[tuple[Who, Who]]:
    """Who waits for what was just offered to whom."""
    found = set()
    for world in worlds:
        for ticket in world.line:
            for other in world.line:
                mine, theirs = wanted_by(ticket), wanted_by(other)
                apart = mine[0].who != theirs[0].who and ticket.state == "waiting"
                if apart and other.state == "offered" and clash(mine, theirs):
                    found.add((mine[0].who, theirs[0].who))
    return found


def reaches(graph: set[tuple[Who, Who]], start: Who, end: Who) -> bool:
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for one, other in graph:
            if one == here and other == end:
                return True
            if one == here and other not in seen:
                seen.add(other)
                todo.append(other)
    return False


def check_no_deadlock(graph: set[tuple[Who, Who]]) -> None:
    for one, other in graph:
        assert not reaches(graph, other, one), f"deadlock: {one} waits for {other} and the reverse"


def check_fences() -> None:
    """One counter per repository that only grows: later grants have higher fences."""
    for repository in Repository.objects.all():
        fences = list(repository.claims.order_by("created_at", "fence").values_list("fence", flat=True))
        assert len(set(fences)) == len(fences)
        assert all(fence <= repository.counter for fence in fences)


def check_recorded() -> None:
    """The event log alone rebuilds who holds, waits and asks."""
    assert State.replayed() == State.now()


def check_requests() -> None:
    """One open request per party and claim, on live claims only; a cut lease has an open request."""
    pending = ReleaseRequest.objects.filter(decision="pending")
    twice = Counter(pending.values_list("claim_id", "requester_engineer", "requester_session_id"))
    assert not [one for one, times in twice.items() if times > 1]
    assert not pending.filter(claim__released_at__isnull=False).exists()
    cut = Claim.objects.filter(released_at=None, shortened_from__isnull=False)
    assert set(cut.values_list("id", flat=True)) <= set(pending.values_list("claim_id", flat=True))


def passed(before: World, granted: list[Scope]) -> list[Ticket]:
    """The waiting tickets of others that a grant overtakes."""
    return [
        ticket
        for ticket in before.line
        if ticket.state == "waiting"
        and wanted_by(ticket)[0].who != granted[0].who
        and clash(wanted_by(ticket), granted)
    ]


def line_edges(worlds: list[World]) -> set[tuple[Who, Who]]:
    """Who stands behind whom for the same."""
    found = set()
    for world in worlds:
        for n, ticket in enumerate(world.line):
            for other in world.line[:n]:
                mine, theirs = wanted_by(ticket), wanted_by(other)
                if mine[0].who != theirs[0].who and clash(mine, theirs):
                    found.add((mine[0].who, theirs[0].who))
    return found
