"""The log tells everything: events over an earlier state lead to the present one."""

from __future__ import annotations

import contextlib
import random

import pytest

from claims.models import Claim, ReleaseRequest
from claims.parties import Party
from claims.scopes import ClaimRequest, read_items
from claims.services import waiting
from claims.services.claiming import Wait, claim_scopes
from claims.services.ending import sweep
from claims.services.leases import extend_claim
from claims.services.releasing import release_claims, release_session
from claims.services.repositories import edit_repository
from claims.services.requests import Answer, Ask, file_request, respond
from claims.services.transferring import transfer_claim
from common.caller import SYSTEM, Caller
from common.errors import CoordError
from coordsite.tokens import services as tokens
from ownership.services import (
    Attempt,
    auto_demote,
    auto_promote,
    log_contention,
    pin,
    promote,
    restore_revision,
    save_document,
)
from queueing.models import IN_LINE, Ticket
from tests.webhooks.replay import State
from webhooks import selectors, services
from webhooks.models import Event
from webhooks.types import EventType

pytestmark = pytest.mark.django_db

ROOT = Caller(kind="admin", name="root", operator=True)
PEOPLE = [Party(name, f"s-{name}") for name in ("alice", "bob", "carol")] + [Party("dave", None)]
PATTERNS = ["a.py", "src/**", "src/a.py", "src/b/**", "*.ts", "src/x.ts", "go.sum", "docs/*"]
SYMBOLS = [None, None, ["Foo"], ["Foo::bar"], ["Bar", "baz"]]
REPOS = ["org/app", "org/lib", ""]


class Walk:
    """Random things that people do, each through its service; refusals are part of life."""

    def __init__(self, seed, clock):
        self.random = random.Random(seed)
        self.clock = clock

    def step(self):
        with contextlib.suppress(CoordError):
            getattr(self, self.random.choice(STEPS))()

    def pick(self, rows):
        rows = list(rows)
        return self.random.choice(rows) if rows else None

    def claim(self):
        pick = self.random.choice
        raw = [
            {"type": "file", "pattern": pick(PATTERNS), "symbols": pick(SYMBOLS)}
            for _ in range(pick([1, 1, 2]))
        ]
        request = ClaimRequest(
            pick(REPOS), pick(PEOPLE), read_items(raw, case_insensitive=False), ttl_hours=pick([None, 1, 6])
        )
        claim_scopes(request, SYSTEM, Wait(pick([0, 0, 60]), pick([0, 600])))

    def release(self):
        if claim := self.pick(Claim.objects.filter(released_at=None).order_by("fence")):
            release_claims([claim.id], SYSTEM)

    def end_session(self):
        release_session(self.random.choice(PEOPLE).session_id or "none", SYSTEM)

    def extend(self):
        if claim := self.pick(Claim.objects.filter(released_at=None).order_by("fence")):
            extend_claim(claim.id, SYSTEM, engineer=claim.engineer, ttl_hours=self.random.choice([1, 3, 9]))

    def ask(self):
        if claim := self.pick(Claim.objects.filter(released_at=None).order_by("fence")):
            file_request(Ask(claim.id, self.random.choice(PEOPLE)), SYSTEM)

    def answer(self):
        rows = ReleaseRequest.objects.select_related("claim").order_by("created_at", "id")
        request = self.pick(rows.filter(decision="pending")) or self.pick(rows)
        if request is None:
            return
        decision = self.random.choice(["approved", "denied", "narrowed", "coexist"])
        inner = self.random.choice([request.claim.pattern, "src/a.py", "src/b/c.py", "x.ts"])
        respond(
            request.id,
            Answer(decision, request.claim.engineer, narrowed_pattern=inner, coexist_pattern=inner),
            ROOT,
        )

    def look(self):
        if ticket := self.pick(Ticket.objects.filter(state__in=IN_LINE).order_by("enqueued_at", "id")):
            waiting.look(ticket.id, final=self.random.random() < 0.3)

    def cancel(self):
        if ticket := self.pick(Ticket.objects.order_by("enqueued_at", "id")):
            waiting.cancel(ticket.id, reason="cancelled")

    def hand_over(self):
        if claim := self.pick(Claim.objects.filter(released_at=None).order_by("fence")):
            party = self.random.choice(PEOPLE)
            transfer_claim(
                claim.id, ROOT, engineer=party.engineer, session_id=party.session_id, reason="holiday"
            )

    def time_passes(self):
        self.clock.advance(self.random.choice([10, 30, 30, 400, 2000]))
        sweep()

    def rules_change(self):
        promote(pattern=self.random.choice(PATTERNS), action="shared_file", author="root")


STEPS = [
    *["claim"] * 8,
    *["ask", "answer", "look", "release"] * 3,
    *["end_session", "extend", "cancel", "hand_over", "time_passes", "rules_change"],
]


OPERATED = ("endpoint_", "token_", "repository_", "operator_", "auto-promote", "auto-demote", "pinned")


def missed():
    """The kinds of events that people cause and that no walk came by."""
    seen = set(Event.objects.values_list("event_type", flat=True))
    kinds = {kind for kind in EventType if not kind.startswith(OPERATED)} - seen
    return kinds - {EventType.NOTIFIED, EventType.QUEUE_WITHDRAW}


def test_it_tells_whatever_people_do(clock):
    state, after = State(), None
    for seed in range(40):
        if seed >= 8 and not missed():
            break
        walk = Walk(seed, clock)
        for _ in range(80):
            walk.step()
        state, after = State.replayed(after, state), selectors.last_seq()
        assert state == State.now(), seed
    assert State.replayed() == state
    assert not missed(), "what this proves depends on where the walks go"


def test_it_tells_what_operators_change(clock, config):
    save_document(text="shared_files: [a.py]\n", author="root")
    first = save_document(text="shared_files: [b.py]\n", author="root", reason="no")
    pin(pattern="b.py", author="root")
    restore_revision(revision_id=first.pk, author="root", reason="back")
    config(auto_promote_threshold=2)
    for uid in "12":
        log_contention([Attempt(uid, "org/app", "hot.py", "bob", None, "c", "alice", "hot.py")])
    assert auto_promote(repo="org/app", patterns=["hot.py"]) == ["hot.py"]
    clock.advance(30 * 86_400)
    assert auto_demote() == ["hot.py"]
    edit_repository("org/app", ROOT, {"case_insensitive": True, "max_claim_files": 9})
    edit_repository("org/app", ROOT, {"max_claim_files": 7})
    kept = services.create_endpoint(caller=ROOT, url="http://127.0.0.1:9/a")
    services.edit_endpoint(caller=ROOT, endpoint_id=kept.id, url="http://127.0.0.1:9/b")
    gone = services.create_endpoint(caller=ROOT, url="http://127.0.0.1:9/c")
    services.delete_endpoint(caller=ROOT, endpoint_id=gone.id)
    made = tokens.create_token(caller=ROOT, engineer="alice").token
    rotated = tokens.rotate_token(caller=ROOT, token_id=made.id).token
    tokens.revoke_token(caller=ROOT, token_id=rotated.id)
    state = State.replayed()
    assert state == State.now()
