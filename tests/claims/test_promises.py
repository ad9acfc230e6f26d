"""The promises hold whatever agents do: a random walk of the services against a small model.

``COORD_TEST_PROMISES=<examples>`` walks longer and at random (``make promises``).
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from promises import (
    PATTERNS,
    SYMBOLS,
    Who,
    offer_edges,
    paths,
    reaches,
)
from walk import IDLE, OVERTAKES, REPOS, Walk

from claims.models import Claim, ReleaseRequest
from claims.parties import Party
from claims.scopes import ClaimRequest, read_items
from claims.selectors.due import next_due
from claims.selectors.inbox import inbox, inbox_requests
from claims.services import requests, waiting
from claims.services.claiming import Wait, claim_scopes
from claims.services.leases import extend_claim, heartbeat
from claims.services.releasing import release_claims, release_session
from claims.services.requests import Answer, Ask
from common.caller import Caller
from common.errors import Conflict, CoordError, Forbidden
from queueing.models import IN_LINE, Ticket

SHARED = Caller(kind="shared", name="shared-token", operator=True)
OPERATOR = Caller(kind="admin", name="olga", operator=True)
WHO: list[Who] = [("alice", "a1"), ("alice", "a2"), ("bob", "b1"), ("carol", "c1"), ("dave", None)]


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


class Promises(Walk):
    """Agents who claim, wait, crash, ask and answer while time passes."""

    # What agents do.

    @initialize(scene=st.sampled_from(["plain", "line", "crossed", "asked"]))
    def begin(self, scene: str) -> None:
        """Some hold, some wait, so that there is something to go wrong."""
        alice, _, bob, carol, dave = WHO
        self.hold(alice, "src/**")
        self.hold(bob, "a.py", "b.py")
        self.hold(carol, "a.py", repo="r/2")
        if scene == "line":
            self.claim(dave, "r/1", [{"pattern": "a.py"}], "low", "h")
            self.claim(carol, "r/1", [{"pattern": "**/*.py"}], "low", "h")
        elif scene == "crossed":
            self.claim(dave, "r/1", [{"pattern": "a.py"}], "normal", "h")
            self.claim(dave, "r/2", [{"pattern": "a.py"}], "normal", "h")
            self.claim(carol, "r/1", [{"pattern": "a.py"}], "normal", "h")
        elif scene == "asked":
            self.claim(bob, "r/1", [{"pattern": "src/a.py"}], "normal", "h")
            self.promises()
            self.file(self.live()[0].id, bob)

    def hold(self, who: Who, *patterns: str, repo: str = "r/1") -> None:
        self.claim(who, repo, [{"pattern": pattern} for pattern in patterns], "normal", "n")

    @rule(who=whos, pattern=st.sampled_from(["a.py", "src/a.py"]), there=st.sampled_from([True, True, False]))
    def hurry(self, who: Who, pattern: str, there: bool) -> None:
        """Somebody comes, more urgent than all others, and whoever holds it gives it up."""
        self.claim(who, "r/1", [{"pattern": pattern}], "blocking", "w")
        self.promises()
        held = [
            claim
            for world in self.worlds()
            for claim, scope in zip(world.claims, world.scopes, strict=True)
            if world.repo == "r/1" and scope.who != who and scope.paths & paths(pattern)
        ]
        for claim in held:
            release_claims([claim.id], SHARED)
        self.pick_up_all(there)

    @rule(who=whos, repo=repos, items=items, urgency=urgencies)
    def claim_now(self, who: Who, repo: str, items: list[dict[str, Any]], urgency: str) -> None:
        self.claim(who, repo, items, urgency, "n")

    @rule(who=whos, repo=repos, items=items, urgency=urgencies, how=st.sampled_from("wh"))
    def claim_and_wait(
        self, who: Who, repo: str, items: list[dict[str, Any]], urgency: str, how: str
    ) -> None:
        self.claim(who, repo, items, urgency, how)

    @rule(who=whos, items=items, urgency=urgencies, how=st.sampled_from("wwh"))
    def wait_too(self, who: Who, items: list[dict[str, Any]], urgency: str, how: str) -> None:
        self.claim(who, "r/1", items, urgency, how)

    def claim(self, who: Who, repo: str, items: list[dict[str, Any]], urgency: str, how: str) -> None:
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
            return
        assert outcome.conflicts or outcome.behind
        if outcome.cycle:
            first = outcome.cycle[0].blocker
            graph = self.waits | offer_edges(before)
            assert reaches(graph, (first.engineer, first.session_id), who), "refused for a cycle that is none"
            return
        assert (outcome.ticket is None) == (how == "n")

    @rule(data=st.data())
    @precondition(lambda self: self.in_line())
    def poll(self, data: Any) -> None:
        self.look(self.some_ticket(data), final=False)

    @rule(data=st.data())
    @precondition(lambda self: self.in_line("offered"))
    def pick_up(self, data: Any) -> None:
        self.look(self.some_ticket(data, "offered"), final=False)

    @rule(data=st.data(), how=st.sampled_from(["time", "crash", "crash", "disconnect", "cancel", "front"]))
    @precondition(lambda self: self.in_line())
    def leave(self, data: Any, how: str) -> None:
        row = self.some_ticket(data)
        if how == "time":
            self.look(row, final=True)
        elif how == "disconnect":
            waiting.abandon(row.id)
        elif how == "cancel":
            assert waiting.cancel(row.id, reason="cancelled")
            assert not waiting.cancel(row.id, reason="cancelled")
        elif how == "front":
            self.overtaken.clear()
            waiting.move_to_front(row.id, operator="olga", reason="urgent")
        else:
            self.gone.add(row.id)

    @rule(data=st.data(), how=st.sampled_from(["own", "own", "own", "foreign", "operator", "session"]))
    @precondition(lambda self: self.live())
    def release(self, data: Any, how: str) -> None:
        claim = Claim.objects.get(id=self.some_claim(data))
        if how == "own":
            self.hear(self.told[claim.id])
            assert len(release_claims([claim.id], SHARED, engineer=claim.engineer)) == 1
        elif how == "operator":
            assert len(release_claims([claim.id], OPERATOR, reason="stuck")) == 1
        elif how == "session" and claim.session_id:
            assert release_session(claim.session_id, SHARED)
            assert not Ticket.objects.filter(session_id=claim.session_id, state__in=IN_LINE).exists()
        else:
            with pytest.raises(Conflict):
                release_claims([claim.id], SHARED, fences={claim.id: claim.fence - 1})
            assert release_claims([claim.id, "unknown"], SHARED, engineer="mallory") == []

    @rule(data=st.data(), there=st.sampled_from([True, True, False]))
    @precondition(lambda self: self.waits)
    def release_what_somebody_waits_for(self, data: Any, there: bool) -> None:
        """The waiters that are parked pick their offers up at once."""
        holders = {held for _, held in self.waits}
        rows = [c for world in self.worlds() for c in world.claims if (c.engineer, c.session_id) in holders]
        claim = self.pick(data, rows)
        self.hear(self.told[claim.id])
        assert len(release_claims([claim.id], SHARED)) == 1
        self.pick_up_all(there)

    def pick_up_all(self, there: bool) -> None:
        """What waiters do that are parked (``there``): they pick their offers up at once."""
        offered = Ticket.objects.filter(state="offered").exclude(id__in=self.gone).order_by("repo", "place")
        for ticket in offered if there else ():
            self.promises()
            ticket.refresh_from_db()
            self.look(ticket, final=False)

    @rule(data=st.data(), hours=st.sampled_from([0.05, 1, 6]))
    @precondition(lambda self: self.live())
    def extend(self, data: Any, hours: float) -> None:
        claim = self.some_claim(data)
        self.hear(self.told[claim])
        extend_claim(claim, SHARED, engineer=self.told[claim][0], ttl_hours=hours)
        self.lease[claim] = self.now + timedelta(hours=hours)
        if claim in self.cut:
            self.lease[claim] = max(self.lease[claim], self.cut[claim])

    @rule(data=st.data(), who=whos)
    @precondition(lambda self: self.live())
    def ask(self, data: Any, who: Who) -> None:
        self.file(self.some_claim(data), who)

    def file(self, claim: str, who: Who) -> None:
        self.hear(who)
        try:
            request = requests.file_request(Ask(claim, Party(*who)), SHARED)
        except Conflict:
            assert Party(*who).is_same(*self.told[claim])
            return
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

    @rule(
        data=st.data(),
        decision=st.sampled_from(["approved", "denied", "denied", "narrowed", "coexist", "coexist"]),
        pattern=st.sampled_from(PATTERNS),
        symbols=st.none() | st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=1),
    )
    @precondition(lambda self: self.asked)
    def answer(self, data: Any, decision: str, pattern: str, symbols: list[str] | None) -> None:
        rows = ReleaseRequest.objects.filter(claim__released_at=None).select_related("claim")
        row = self.pick(
            data,
            list(
                rows.order_by(
                    "decision", "claim__repository", "claim__fence", "requester_engineer", "created_at"
                )
            ),
        )
        request = row.id
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

    @rule(seconds=st.sampled_from([1, 1, 5, 5, 16, 16, 61, 301]))
    def time_passes(self, seconds: int) -> None:
        """Waiters that are still there keep saying so, and timers fire when they are due."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            dues = [due for repo in REPOS if (due := next_due(repo, self.now)) and due > self.now]
            self.now = min([end, *dues])
            waits = Ticket.objects.filter(state="waiting").exclude(id__in=self.gone)
            here = list(waits.order_by("repo", "place"))
            bound = [t.id for t in here if t.alive_until < t.expires_at]
            waiting.still_there(bound, [t.id for t in here])
            for ticket in here:
                self.heard((ticket.engineer, ticket.session_id))
            self.settle()

    @rule(hours=st.sampled_from([0.01, 0.01, 0.01, 0.01, 0.01, 0.2]))
    def the_machine_sleeps(self, hours: float) -> None:
        """The clock jumps; nobody said anything meanwhile."""
        self.now += timedelta(hours=hours)
        self.settle()


@pytest.mark.django_db
@pytest.mark.long(60)
@pytest.mark.timeout(600)
def test_the_promises_hold_whatever_agents_do(config):
    config(queue_max_overtakes=OVERTAKES, idle_timeout_sec=IDLE)
    examples = int(os.environ.get("COORD_TEST_PROMISES") or "0")
    few = 20 if connection.vendor == "sqlite" else 10
    run_state_machine_as_test(
        Promises,
        settings=settings(
            max_examples=examples or few,
            stateful_step_count=60 if examples else 40,
            derandomize=not examples,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
