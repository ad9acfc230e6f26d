"""What needs somebody, and whose move it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from actors import ANYBODY, Actor

from claims.models import Claim, Repository
from claims.services.requests import Ask, file_request
from common.filters import Filter
from coordsite.dashboard import attention
from coordsite.dashboard.look import Look
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget():
    attention.forget()
    yield
    attention.forget()


def items(**filters):
    return attention.items(Look(Filter(**filters), None))


def test_it_is_empty_while_everybody_works(clock):
    Actor("alice").hold("src/a.py")
    Actor("bob").hold("src/b.py")
    assert items() == []


def test_it_asks_the_holder_for_whom_others_wait(clock):
    held = Actor("alice").hold("src/a.py")
    clock.advance(60)
    Actor("bob").queue("src/a.py")
    Actor("carol").queue("src/a.py")
    [item] = items()
    assert (item.level, item.kind, item.mover, item.what) == ("soon", "others wait", "alice", "src/a.py")
    assert (item.why, item.since) == ("bob, carol wait", clock())
    assert (item.until, item.model, item.key) == (
        held.claims[0].expires_at,
        "claims_claim",
        held.claims[0].id,
    )


def test_it_is_nobodys_move_when_the_lease_ends_soon_anyway(clock):
    Actor("alice").hold("src/a.py", ttl_hours=0.2)
    Actor("bob").queue("src/a.py", hold=600)
    clock.advance(180)
    [item] = items()
    assert (item.level, item.kind, item.mover) == ("watch", "lease about to end", "nobody")


def test_it_puts_unanswered_requests_first(clock):
    Actor("alice").hold("src/a.py", ttl_hours=8)
    held = Actor("bob").hold("src/b.py", ttl_hours=8)
    Actor("carol").queue("src/a.py", hold=600)
    clock.advance(30)
    asked = open_request_for(held.claims[0].id)
    found = items()
    assert [(item.kind, item.mover) for item in found] == [
        ("asked to release", "bob"),
        ("others wait", "alice"),
    ]
    assert found[0].why == "dmitri asks for it: a hotfix"
    assert found[0].since == asked.created_at


def open_request_for(claim_id):
    return file_request(Ask(claim_id, Actor("dmitri").party, reason="a hotfix"), ANYBODY)


def test_it_names_receivers_that_get_nothing(clock):
    now = clock()
    dead, slow = (
        Endpoint.objects.create(url=f"https://{name}.test/", created_at=now, updated_at=now)
        for name in ("dead", "slow")
    )
    event = Event.objects.create(event_type="claim_granted", created_at=now)
    for endpoint, retries in ((dead, 3), (slow, 2)):
        Delivery.objects.create(
            endpoint=endpoint,
            event=event,
            status="failed",
            retry_count=retries,
            last_error="410 Gone",
            next_attempt_at=now,
            created_at=now,
        )
    [item] = items()
    assert (item.kind, item.mover, item.what) == ("dead receiver", "operator", "https://dead.test/")
    assert item.why == "1 events wait, 0 given up today: 410 Gone"


def test_it_names_holders_without_a_sign_of_life(clock, config):
    config(idle_timeout_sec=600)
    Actor("alice").hold("src/a.py", "src/b.py")
    clock.advance(299)
    assert items() == []
    clock.advance(1)
    [item] = items()
    assert (item.kind, item.mover, item.what) == ("no sign of life", "alice", "2 claims in org/app")
    assert item.until == clock() + timedelta(seconds=300)
    assert (item.model, item.key) == ("claims_holdingsession", Claim.objects.latest("id").id)
    clock.advance(300)
    assert items() == []
    config(idle_timeout_sec=0)
    assert items() == []


def test_it_names_silent_holders_that_never_named_a_session(clock, config):
    config(idle_timeout_sec=600)
    Actor("alice").hold("src/a.py")
    Claim.objects.update(session_id=None)
    clock.advance(300)
    [item] = items()
    assert (item.mover, item.what) == ("alice", "1 claim in org/app")
    assert (item.model, item.key) == ("claims_claim", Claim.objects.get().id)


def test_a_session_that_touched_one_of_its_claims_lives(clock, config):
    config(idle_timeout_sec=600)
    Actor("alice").hold("src/a.py", "src/b.py")
    clock.advance(400)
    Claim.objects.filter(pattern="src/a.py").update(last_activity=clock())
    assert items() == []


def test_it_names_checkouts_that_cannot_be_read(clock, tmp_path):
    Actor("alice").hold("src/a.py")
    Repository.objects.update(checkout_path=str(tmp_path / "gone"))
    [item] = items()
    assert (item.kind, item.mover, item.what) == ("broken checkout", "operator", "org/app")
    assert item.why


def test_it_keeps_to_the_filter(clock):
    for repo in ("org/app", "org/web"):
        Actor("alice", repo).hold("src/a.py")
        Actor("bob", repo).queue("src/a.py")
    assert len(items()) == 2
    assert len(items(repo="org/web")) == 1
    assert items(engineer="carol") == []


def test_it_is_cut(clock):
    for n in range(20):
        Actor(f"holder{n}").hold(f"src/{n}.py")
    for n in range(20):
        Actor("bob").queue(f"src/{n}.py")
    assert Claim.objects.count() == 20
    assert len(items()) == attention.MOST
