"""The promises hold whatever agents do: a random walk of the services against a small model.

``COORD_PROMISES=<examples>`` walks longer and at random (``make promises``).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from promises import (
    PATTERNS,
    SYMBOLS,
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
    paths,
    reaches,
    scope_of,
)

from claims.models import Claim, ReleaseRequest
from claims.parties import Party
from claims.scopes import ClaimRequest, read_items
from claims.selectors.due import next_due
from claims.selectors.inbox import inbox, inbox_requests
from claims.services import activity, ending, requests, waiting
from claims.services.claiming import Wait, claim_scopes
from claims.services.leases import extend_claim, heartbeat
from claims.services.releasing import release_claims, release_session
from claims.services.requests import Answer, Ask
from common import clock
from common.caller import Caller
from common.errors import Conflict, CoordError, Forbidden
from queueing.models import Ticket

SHARED = Caller(kind="shared", name="shared-token", operator=True)
OPERATOR = Caller(kind="admin", name="olga", operator=True)
WHO: list[Who] = [("alice", "a1"), ("alice", "a2"), ("bob", "b1"), ("carol", "c1"), ("dave", None)]
REPOS = ("r/1", "r/2")
OVERTAKES = 2
IDLE = 1800
whos = st.sampled_from(WHO)
repos = st.sampled_from(["r/1", "r/1", "r/1", "r/2"])
urgencies = st.sampled_from(["low", "normal", "normal", "high", "blocking"])
items = st.lists(
    st.fixed_dictionaries(
        {"pattern": st.sampled_from(PATTERNS)},
        optional={"symbols": st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=2, unique=True)},
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda item: item["pattern"],
)


class Promises(RuleBasedStateMachine):
    """Agents who claim, wait, crash, ask and answer while time passes."""

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
        self.gone: set[str] = set()  # tickets whose waiter has crashed
        self.overtaken: dict[str, int] = {}
        self.highest: dict[str, int] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.database.__exit__(None, None, None)
        self.running.__exit__(None, None, None)

    tickets = Bundle("tickets")
    asked = Bundle("asked")

    # What agents do.

    @rule(target=tickets, who=whos, repo=repos, items=items, urgency=urgencies, how=st.sampled_from("nwwhh"))
    def claim(self, who: Who, repo: str, items: list[dict[str, Any]], urgency: str, how: str) -> Any:
        self.hear(who)
        before = self.worlds()
        parsed = read_items(items, case_insensitive=False)
        wait = {"n": Wait(), "w": Wait(600), "h": Wait(0, 3600)}[how]
        held = self.held_scopes(who, repo)
        outcome = claim_scopes(ClaimRequest(repo, Party(*who), parsed, urgency=urgency), SHARED, wait)
        if outcome.granted:
            self.learn(who, repo, outcome.claims, items, before)
            for item, claim in zip(items, outcome.claims, strict=True):
                key = (claim.pattern, tuple(sorted(item.get("symbols", ()))))
                assert key not in held or claim.id in held[key], "asked again, the same claim is the answer"
            return multiple()
        assert outcome.conflicts or outcome.behind
        if outcome.cycle:
            me = (who,)
            ends = {(link.waiter.engineer, link.waiter.session_id) for link in outcome.cycle}
            assert me[0] in ends
            graph = edges(before)
            first = outcome.cycle[0].blocker
            assert reaches(graph, (first.engineer, first.session_id), who), "refused for a cycle that is none"
            return multiple()
        if outcome.ticket is None:
            assert how == "n"
            return multiple()
        return outcome.ticket.id

    @rule(ticket=tickets)
    def poll(self, ticket: str) -> None:
        row = Ticket.objects.get(id=ticket)
        if ticket in self.gone:
            return
        self.hear((row.engineer, row.session_id))
        self.look(row, final=False)

    @rule(ticket=tickets)
    def time_is_up(self, ticket: str) -> None:
        row = Ticket.objects.get(id=ticket)
        if ticket not in self.gone:
            self.look(row, final=True)
            row.refresh_from_db()
            assert row.state not in ("waiting", "offered") or row.state == "waiting"

    @rule(ticket=tickets)
    def crash(self, ticket: str) -> None:
        self.gone.add(ticket)

    @rule(ticket=tickets)
    def disconnect(self, ticket: str) -> None:
        row = Ticket.objects.get(id=ticket)
        if row.state in ("waiting", "offered"):
            waiting.abandon(ticket)
            self.gone.add(ticket)

    @rule(ticket=tickets)
    def cancel(self, ticket: str) -> None:
        state = Ticket.objects.get(id=ticket).state
        assert waiting.cancel(ticket, reason="cancelled") == (state in ("waiting", "offered"))

    @rule(ticket=tickets)
    def move_to_front(self, ticket: str) -> None:
        self.overtaken.clear()
        waiting.move_to_front(ticket, operator="olga", reason="urgent")

    @rule(data=st.data())
    @precondition(lambda self: self.live())
    def release(self, data: Any) -> None:
        claim = self.some_claim(data)
        self.hear(self.told[claim])
        assert len(release_claims([claim], SHARED, engineer=self.told[claim][0])) == 1

    @rule(data=st.data())
    @precondition(lambda self: self.live())
    def release_as_somebody_else(self, data: Any) -> None:
        claim = Claim.objects.get(id=self.some_claim(data))
        with pytest.raises(Conflict):
            release_claims([claim.id], SHARED, engineer=claim.engineer, fences={claim.id: claim.fence - 1})
        assert release_claims([claim.id, "unknown"], SHARED, engineer="mallory") == []

    @rule(who=whos)
    def end_session(self, who: Who) -> None:
        if who[1]:
            release_session(who[1], SHARED)
            assert not Ticket.objects.filter(session_id=who[1], state__in=("waiting", "offered")).exists()

    @rule(data=st.data())
    @precondition(lambda self: self.live())
    def operator_releases(self, data: Any) -> None:
        assert len(release_claims([self.some_claim(data)], OPERATOR, reason="stuck")) == 1

    @rule(data=st.data(), hours=st.sampled_from([0.05, 1, 6]))
    @precondition(lambda self: self.live())
    def extend(self, data: Any, hours: float) -> None:
        claim = self.some_claim(data)
        self.hear(self.told[claim])
        extend_claim(claim, SHARED, engineer=self.told[claim][0], ttl_hours=hours)
        self.lease[claim] = self.now + timedelta(hours=hours)
        if claim in self.cut:
            self.lease[claim] = max(self.lease[claim], self.cut[claim])

    @rule(target=asked, data=st.data(), who=whos)
    @precondition(lambda self: self.live())
    def ask(self, data: Any, who: Who) -> Any:
        claim = self.some_claim(data)
        self.hear(who)
        try:
            request = requests.file_request(Ask(claim, Party(*who)), SHARED)
        except Conflict:
            assert Party(*who).is_same(*self.told[claim])
            return multiple()
        denied = (
            ReleaseRequest.objects.filter(
                claim_id=claim, decision="denied", requester_engineer=who[0], requester_session_id=who[1]
            )
            .order_by("-decided_at")
            .first()
        )
        resting = denied and denied.decided_at > self.now - timedelta(seconds=300)
        short = self.now + timedelta(seconds=300)
        if (
            claim not in self.cut
            and not resting
            and request.created_at == self.now
            and short < self.lease[claim]
        ):
            self.cut[claim] = short
        return request.id

    @rule(
        request=asked,
        decision=st.sampled_from(["approved", "denied", "denied", "narrowed", "coexist", "coexist"]),
        pattern=st.sampled_from(PATTERNS),
        symbols=st.none() | st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=1),
    )
    def answer(self, request: str, decision: str, pattern: str, symbols: list[str] | None) -> None:
        row = ReleaseRequest.objects.select_related("claim").get(id=request)
        claim = row.claim
        said = Answer(
            decision,
            engineer=claim.engineer,
            narrowed_pattern=pattern,
            coexist_pattern=pattern,
            coexist_symbols={pattern: symbols} if symbols else None,
        )
        if (row.requester_engineer, row.requester_session_id) != (claim.engineer, claim.session_id):
            with pytest.raises(Forbidden):
                requests.respond(
                    request, Answer("approved", session_id=row.requester_session_id or "other"), SHARED
                )
        was = row.decision
        try:
            answered = requests.respond(request, said, SHARED)
        except CoordError as error:
            note(f"refused: {error.detail}")
            assert decision in ("narrowed", "coexist")
            return
        if was != "pending":
            assert (answered.request.decision, answered.claim_ids) == (was, [])
            return
        made = list(Claim.objects.filter(id__in=answered.claim_ids))
        if decision == "narrowed":
            new = made[0]
            assert paths(new.pattern) <= paths(claim.pattern)
            self.told[new.id] = self.told[claim.id]
            self.lease[new.id] = self.lease[claim.id]
        elif decision == "coexist":
            for new in made:
                assert paths(new.pattern) <= paths(claim.pattern)
                self.told[new.id] = (row.requester_engineer, row.requester_session_id)
                self.lease[new.id] = self.now + timedelta(hours=4)
        still = ReleaseRequest.objects.filter(claim_id=claim.id, decision="pending").exists()
        if decision in ("denied", "coexist") and not still:
            self.cut.pop(claim.id, None)

    @rule(who=whos)
    def read_inbox(self, who: Who) -> None:
        if not who[1]:
            return
        self.hear(who)
        heartbeat(who[1], SHARED)
        told = inbox(who[1], inbox_requests(who[1], SHARED), SHARED)
        lost = {entry["claim_id"] for entry in told if entry["kind"] == "lease-lost"}
        for claim in Claim.objects.filter(session_id=who[1], end_reason__in=("expired", "idle")):
            again = Claim.objects.filter(
                session_id=who[1], pattern=claim.pattern, repository=claim.repository, fence__gt=claim.fence
            )
            day = self.now - timedelta(hours=24)
            assert claim.id in lost or again.exists() or claim.released_at <= day, "a lost lease is not told"

    # Time.

    @rule(seconds=st.sampled_from([1, 16, 61, 301, 1700]))
    def time_passes(self, seconds: int) -> None:
        """Waiters that are still there keep saying so, and timers fire when they are due."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            dues = [due for repo in REPOS if (due := next_due(repo, self.now)) and due > self.now]
            self.now = min([end, *dues])
            here = Ticket.objects.filter(state="waiting").exclude(id__in=self.gone)
            bound = [t.id for t in here if t.alive_until < t.expires_at]
            waiting.still_there(bound, [t.id for t in here])
            self.sign |= {(t.engineer, t.session_id): self.now for t in here}
            self.settle()

    @rule(hours=st.sampled_from([0.2, 2, 5]))
    def the_machine_sleeps(self, hours: float) -> None:
        """The clock jumps; nobody said anything meanwhile."""
        self.now += timedelta(hours=hours)
        self.settle()

    # What is true after each step.

    @invariant()
    def promises(self) -> None:
        worlds = self.worlds()
        for world in worlds:
            check_exclusive(world)
            check_line(world)
            for claim in world.claims:
                self.check_lease(claim)
        check_no_deadlock(worlds)
        check_fences()
        check_requests()
        check_recorded()
        for ticket in Ticket.objects.filter(id__in=self.gone):
            assert ticket.state != "granted" or ticket.ended_at is not None
        for claim in Claim.objects.filter(end_reason="idle", released_at=self.now):
            heard = self.sign[(claim.engineer, claim.session_id)]
            assert self.now - heard >= 0.9 * timedelta(seconds=IDLE), "idle, yet heard of"

    def check_lease(self, claim: Claim) -> None:
        assert claim.id in self.told, "somebody holds what it was never told of"
        assert self.told[claim.id] == (claim.engineer, claim.session_id)
        end = self.cut.get(claim.id, self.lease[claim.id])
        assert claim.expires_at == end, "a lease is not what its holder was told"

    # Helpers.

    def worlds(self) -> list[World]:
        return [World(repo, self.now) for repo in REPOS]

    def live(self) -> list[str]:
        return sorted(claim.id for world in self.worlds() for claim in world.claims)

    def some_claim(self, data: Any) -> str:
        order = Claim.objects.filter(id__in=self.live()).order_by("repository__name", "fence")
        return data.draw(st.sampled_from(list(range(len(order)))).map(lambda n: order[n].id))

    def hear(self, who: Who) -> None:
        if who[1]:
            activity.note_life([who[1]], self.now)
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
            graph = edges(before) | line_edges(before)
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

    @initialize()
    def start(self) -> None:
        self.settle()


@pytest.mark.django_db
def test_the_promises_hold_whatever_agents_do(config):
    config(queue_max_overtakes=OVERTAKES, idle_timeout_sec=IDLE)
    examples = int(os.environ.get("COORD_PROMISES", "0"))
    run_state_machine_as_test(
        Promises,
        settings=settings(
            max_examples=examples or 40,
            stateful_step_count=60 if examples else 40,
            derandomize=not examples,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
