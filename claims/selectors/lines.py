"""Who waits for whom: each repository's line in true order, with what stands in each waiter's way."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from claims.candidates import Holder
from claims.models import Repository
from claims.parties import Party
from claims.places import request_of
from claims.scopes import ClaimRequest
from claims.verdicts import Question, judge
from common.filters import Filter
from ownership.rules import RuleSet
from ownership.selectors import current_rules
from queueing import selectors as queue
from queueing.models import Ticket
from queueing.selectors import Queued

MOST_ITEMS = 4
"""Items of one ticket that are looked at for what stands in their way."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """A place in line. ``number`` counts the whole line, ``position`` only who is ahead for its scopes.

    ``blockers`` are the claims in its way, ``behind`` the earlier tickets for the same scopes. ``until`` is
    when the last of the blockers' leases ends: the latest moment at which nothing is in its way.
    """

    ticket: Ticket
    number: int
    position: int
    patterns: tuple[str, ...]
    blockers: tuple[Holder, ...]
    behind: tuple[Ticket, ...]
    until: datetime | None

    @property
    def party(self) -> Party:
        """Who waits."""
        return Party(self.ticket.engineer, self.ticket.session_id)

    @property
    def offered(self) -> bool:
        """Whether its scopes are kept for it until it picks them up."""
        return self.ticket.state == Ticket.State.OFFERED


@dataclass(frozen=True, slots=True)
class Line:
    """A repository's line: how many wait, and the first of them."""

    repo: str
    depth: int
    waiters: tuple[Waiter, ...]


def lines(seen: Filter, now: datetime, *, most: int) -> list[Line]:
    """The lines of the repositories, the longest first; at most ``most`` waiters in all.

    Each line shows at least its head. Without waiters it costs one query; each shown one costs about two.
    """
    by_repo: dict[str, list[Queued]] = defaultdict(list)
    for ticket in queue.in_line(seen, now):
        by_repo[ticket.repo].append(ticket)
    if not by_repo:
        return []
    longest = sorted(by_repo, key=lambda name: (-len(by_repo[name]), name))[:most]
    each = max(1, most // len(longest))
    order = queue.ranking(now).key
    heads = {name: [one.id for one in sorted(by_repo[name], key=order)[:each]] for name in longest}
    tickets = {row.id: row for row in queue.tickets_by_id([one for ids in heads.values() for one in ids])}
    found = {row.name: row for row in Repository.objects.filter(name__in=longest)}
    rules = current_rules()
    return [
        _line(
            found[name],
            [tickets[one] for one in heads[name] if one in tickets],
            len(by_repo[name]),
            now,
            rules,
        )
        for name in longest
        if name in found
    ]


def _line(repository: Repository, heads: list[Ticket], depth: int, now: datetime, rules: RuleSet) -> Line:
    ahead: list[tuple[Ticket, ClaimRequest]] = []
    waiters = []
    shared = rules.shared(repository.name, case_insensitive=repository.case_insensitive)
    for number, ticket in enumerate(heads, start=1):
        request = request_of(ticket, case_insensitive=repository.case_insensitive)
        question = Question(repository.pk, now, request.party, repository.case_insensitive, shared=shared)
        waiters.append(_waiter(ticket, request, number, ahead, question))
        ahead.append((ticket, request))
    return Line(repository.name, depth, tuple(waiters))


def _waiter(
    ticket: Ticket,
    request: ClaimRequest,
    number: int,
    ahead: list[tuple[Ticket, ClaimRequest]],
    question: Question,
) -> Waiter:
    behind = tuple(other for other, wanted in ahead if request.clashes(wanted))
    conflicts = judge(question, request.items[:MOST_ITEMS]).conflicts
    blockers = {conflict.holder.id: conflict.holder for conflict in conflicts}
    return Waiter(
        ticket=ticket,
        number=number,
        position=len(behind) + 1,
        patterns=tuple(item.pattern.text for item in request.items),
        blockers=tuple(blockers.values()),
        behind=behind,
        until=max((holder.expires_at for holder in blockers.values()), default=None),
    )
