"""What a walk knows and checks; its steps are in ``test_promises.py``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from promises import (
    Scope,
    Who,
    World,
    check_exclusive,
    check_fences,
    check_line,
    check_no_deadlock,
    check_recorded,
    check_requests,
    edges,
    line_edges,
    passed,
    reaches,
    scope_of,
)

from claims.models import Claim, ReleaseRequest
from claims.selectors.due import next_due
from claims.services import activity, ending, waiting
from common import clock
from queueing.models import Ticket

REPOS = ("r/1", "r/2")
OVERTAKES = 2
IDLE = 1800


class Walk(RuleBasedStateMachine):
    """Virtual time, a database of its own per example, what each party was told, and the promises."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self.running = clock.running(lambda: self.now)
        self.running.__enter__()
        self.database = transaction.atomic()
        self.database.__enter__()
        activity.forget()
        self.told: dict[str, Who] = {}  # claim -> who was told that it holds it
        self.lease: dict[str, datetime] = {}  # claim -> the end of its lease when nobody asks for it
        self.cut: dict[str, datetime] = {}  # claim -> the end that a release request put
        self.sign: dict[Who, datetime] = {}  # when each party was last heard of
        self.sign_before: dict[Who, datetime] = {}  # and before this moment
        self.gone: set[str] = set()  # tickets whose waiter has crashed
        self.overtaken: dict[str, int] = {}
        self.highest: dict[str, int] = {}
        self.seen = [World(repo, self.now) for repo in REPOS]
        self.waits: set[tuple[Who, Who]] = set()
        self.asked = False

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.database.__exit__(None, None, None)
        self.running.__exit__(None, None, None)

    # What is true after each step.

    @invariant()
    def promises(self) -> None:
        self.seen = worlds = [World(repo, self.now) for repo in REPOS]
        self.waits = edges(worlds)
        for world in worlds:
            check_exclusive(world)
            check_line(world)
            for claim in world.claims:
                self.check_lease(claim)
        check_no_deadlock(self.waits)
        check_fences()
        check_requests()
        self.asked = ReleaseRequest.objects.filter(claim__released_at=None).exists()
        check_recorded()
        assert not Ticket.objects.filter(id__in=self.gone, state="granted").exists(), "a ghost"
        for claim in Claim.objects.filter(end_reason="idle", released_at=self.now):
            who = (claim.engineer, claim.session_id)
            heard = (
                self.sign[who] if self.sign[who] != self.now else self.sign_before.get(who, claim.created_at)
            )
            assert self.now - heard >= 0.9 * timedelta(seconds=IDLE), "idle, yet heard of"

    def check_lease(self, claim: Claim) -> None:
        assert claim.id in self.told, "somebody holds what it was never told of"
        assert self.told[claim.id] == (claim.engineer, claim.session_id)
        end = self.cut.get(claim.id, self.lease[claim.id])
        assert claim.expires_at == end, "a lease is not what its holder was told"

    # Helpers.

    def worlds(self) -> list[World]:
        """The rows as the last step left them."""
        return self.seen

    def live(self) -> list[Claim]:
        return sorted(
            (c for world in self.worlds() for c in world.claims), key=lambda c: (c.repository_id, c.fence)
        )

    def in_line(self, state: str = "") -> list[Ticket]:
        """Those in line whose waiter is there."""
        rows = [ticket for world in self.worlds() for ticket in world.line if ticket.id not in self.gone]
        return sorted((t for t in rows if not state or t.state == state), key=lambda t: (t.repo, t.place))

    def pick(self, data: Any, rows: list[Any]) -> Any:
        return rows[data.draw(st.integers(0, len(rows) - 1))]

    def some_claim(self, data: Any) -> str:
        return self.pick(data, self.live()).id

    def some_ticket(self, data: Any, state: str = "") -> Ticket:
        row: Ticket = self.pick(data, self.in_line(state))
        self.hear((row.engineer, row.session_id))
        return row

    def hear(self, who: Who) -> None:
        if who[1]:
            activity.note_life([who[1]], self.now)
        self.heard(who)

    def heard(self, who: Who) -> None:
        if self.sign.get(who, self.now) != self.now:
            self.sign_before[who] = self.sign[who]
        self.sign[who] = self.now

    def held_scopes(self, who: Who, repo: str) -> dict[Any, set[str]]:
        found: dict[Any, set[str]] = {}
        for world in self.worlds():
            for claim, scope in zip(world.claims, world.scopes, strict=True):
                if world.repo == repo and scope.who == who:
                    found.setdefault((claim.pattern, tuple(sorted(scope.symbols))), set()).add(claim.id)
        return found

    def look(self, row: Ticket, *, final: bool) -> None:
        before = self.worlds()
        seen = waiting.look(row.id, final=final)
        if seen.state == "granted" and row.state != "granted":
            assert seen.outcome is not None
            self.learn(
                (row.engineer, row.session_id), row.repo, seen.outcome.claims, row.request["items"], before
            )
        elif final and seen.state != "granted":
            assert seen.state != "offered"

    def learn(
        self, who: Who, repo: str, claims: Any, items: list[dict[str, Any]], before: list[World]
    ) -> None:
        """Note a grant: whole, with growing fences, past nobody more often than allowed."""
        assert len(claims) == len(items), "granted in part"
        new = [claim for claim in claims if claim.id not in self.told]
        for claim in new:
            assert claim.fence > self.highest.get(repo, 0), "fences grow"
        self.highest[repo] = max([self.highest.get(repo, 0), *(claim.fence for claim in new)])
        for claim in claims:
            end = self.now + timedelta(hours=django_settings.COORD.default_ttl_hours)
            self.lease[claim.id] = max(end, self.lease.get(claim.id, end))
            self.told[claim.id] = who
        world = next(world for world in before if world.repo == repo)
        granted: list[Scope] = [scope_of(claim) for claim in Claim.objects.filter(id__in=[c.id for c in new])]
        if granted:
            graph = self.waits | line_edges(before)
            for ticket in passed(world, granted):
                if reaches(graph, (ticket.engineer, ticket.session_id), who):
                    continue
                own = [t for t in world.line if t.state == "offered" and (t.engineer, t.session_id) == who]
                if any(t.place < ticket.place for t in own):
                    continue
                self.overtaken[ticket.id] = self.overtaken.get(ticket.id, 0) + 1
                assert self.overtaken[ticket.id] <= OVERTAKES, "overtaken more often than allowed"

    def settle(self) -> None:
        for repo in REPOS:
            due = next_due(repo, self.now)
            if due is not None and due <= self.now:
                ending.settle(repo)
