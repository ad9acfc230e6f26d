"""One look at the service: everything that the panels show, each part read once and only when shown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.db.models import Exists, OuterRef

from claims.models import Claim, ReleaseRequest
from claims.selectors import lines, listing, overview, refusals
from claims.selectors.lines import Line, Waiter
from claims.selectors.overview import RepositoryRow, Silent
from claims.selectors.refusals import Refusal
from common import clock
from common.filters import Filter
from coordsite.dashboard.history import History
from ownership import selectors as ownership
from ownership.selectors import Marks
from webhooks import selectors as webhooks
from webhooks.selectors import Trouble

MOST_CLAIMS = 30
MOST_WAITERS = 20
MOST_REQUESTS = 20
MOST_REFUSALS = 20
MOST_REPOSITORIES = 15
MOST_RECENT = 15
MOST_SILENT = 5
FAILURES = 3


@dataclass(slots=True)
class Contended:
    """Who waits for a claim, and who asked for its release."""

    waiters: list[Waiter]
    requests: list[ReleaseRequest]


class Look:
    """What is true now, within a filter. Not for two threads at once."""

    def __init__(self, seen: Filter, history: History | None) -> None:
        self.seen = seen
        self.history = history
        self.now = clock.now()
        self.day = self.now - timedelta(hours=24)

    @cached_property
    def lines(self) -> list[Line]:
        """The lines in which somebody (or something) within the filter stands."""
        found = []
        for line in lines.lines(self.seen, self.now, most=MOST_WAITERS):
            waiters = tuple(waiter for waiter in line.waiters if self._shows(line.repo, waiter))
            if waiters or not (self.seen.engineer or self.seen.text):
                found.append(Line(line.repo, line.depth, waiters))
        return found

    def _shows(self, repo: str, waiter: Waiter) -> bool:
        engineers = (waiter.ticket.engineer, *(holder.engineer for holder in waiter.blockers))
        return self.seen.shows(repo=repo, engineers=engineers, texts=waiter.patterns)

    @cached_property
    def waiting(self) -> int:
        """How many wait."""
        if self.seen.engineer or self.seen.text:
            return sum(len(line.waiters) for line in self.lines)
        return sum(line.depth for line in self.lines)

    @cached_property
    def active(self) -> dict[str, int]:
        """Live claims per repository."""
        return overview.active_by_repository(self.seen, self.now)

    @cached_property
    def refused(self) -> tuple[int, int]:
        """Requests refused within a day, and those of them whose holder still stands in the way."""
        holds = Exists(Claim.objects.filter(listing.live(self.now), pk=OuterRef("claim_id")))
        return ownership.refused_since(self.seen, since=self.day, still=holds)

    @cached_property
    def requests(self) -> list[ReleaseRequest]:
        """Release requests: open ones first, then those of the last day."""
        return overview.requests_seen(self.seen, since=self.day, limit=MOST_REQUESTS)

    @cached_property
    def open_requests(self) -> list[ReleaseRequest]:
        """Those that nobody has answered and whose claim still stands."""
        return [
            request
            for request in self.requests
            if request.decision == ReleaseRequest.Decision.PENDING and request.claim.released_at is None
        ]

    @cached_property
    def contended(self) -> dict[str, Contended]:
        """Claims that somebody waits for or asks for, by id."""
        found: dict[str, Contended] = defaultdict(lambda: Contended([], []))
        for line in self.lines:
            for waiter in line.waiters:
                for holder in waiter.blockers:
                    found[holder.id].waiters.append(waiter)
        for request in self.open_requests:
            found[request.claim_id].requests.append(request)
        return dict(found)

    @cached_property
    def claims(self) -> list[Claim]:
        """Live claims, contended ones first."""
        return overview.active_claims(self.seen, self.now, first=self.contended, limit=MOST_CLAIMS)

    @cached_property
    def partners(self) -> dict[str, int]:
        """How many claims coexist with each of the shown ones."""
        return overview.partners_by_claim([claim.id for claim in self.claims])

    @cached_property
    def refusals(self) -> list[Refusal]:
        """The newest refused requests."""
        return refusals.recent_refusals(self.seen, self.now, limit=MOST_REFUSALS)

    @cached_property
    def repositories(self) -> list[RepositoryRow]:
        """Repositories with claims."""
        made = {} if self.history is None else self.history.made
        return overview.repository_rows(self.seen, self.active, made, limit=MOST_REPOSITORIES)

    @cached_property
    def repositories_used(self) -> int:
        """How many repositories were ever claimed in."""
        return overview.repositories_used(self.seen)

    @cached_property
    def recent(self) -> list[Claim]:
        """The newest claims, live or ended."""
        return overview.recent_claims(self.seen, limit=MOST_RECENT)

    @cached_property
    def silent(self) -> list[Silent]:
        """Sessions that hold claims and are not heard of."""
        return overview.silent_holders(self.seen, self.now, limit=MOST_SILENT)

    @cached_property
    def marks(self) -> Marks:
        """What the ownership document says of single patterns."""
        return ownership.marks()

    @cached_property
    def troubles(self) -> list[Trouble]:
        """Receivers that do not get their events."""
        return webhooks.troubled_endpoints(failures=FAILURES, limit=MOST_SILENT)

    @cached_property
    def engineers(self) -> list[str]:
        """Names to choose from."""
        return overview.engineers_named()

    def named_engineers(self) -> list[str]:
        """Names to choose from, the chosen one among them."""
        return sorted({*self.engineers, self.seen.engineer} - {""})
