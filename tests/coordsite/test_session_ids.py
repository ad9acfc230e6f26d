"""Session ids of other parties are never shown in full to agents."""

from __future__ import annotations

import json

import pytest

from common.caller import short_session

pytestmark = pytest.mark.django_db
HOLDER, ASKER = "holder-0123456789", "asker-0123456789"


@pytest.fixture
def alice(person):
    return person("alice", session=HOLDER)


@pytest.fixture
def bob(person):
    return person("bob", session=ASKER)


@pytest.fixture
def world(alice, bob):
    """Alice holds, bob was refused, asked, waits and was answered."""
    body = {"claims": [{"type": "file", "pattern": "a.py"}]}
    claim = alice.post("/claims", body)[1]["claim_ids"][0]
    assert bob.post("/claims", body)[0] == 409
    asked = bob.post("/requests", {"claim_id": claim, "wait_seconds": 0})[1]["id"]
    ticket = bob.post("/claims", {**body, "hold_place_seconds": 600})[1]["queue_id"]
    answers = [alice.post(f"/requests/{asked}/respond", {"decision": "denied"})]
    again = bob.post("/requests", {"claim_id": claim, "wait_seconds": 0})[1]["id"]
    return {"claim": claim, "asked": asked, "again": again, "ticket": ticket, "answers": answers}


def everything(who, world):
    yield who.get("/claims")
    yield who.get("/claims?active_only=false")
    yield who.get(f"/claims/{world['claim']}")
    yield who.get("/conflicts?pattern=a.py")
    yield who.post("/conflicts/batch", {"patterns": ["a.py"]})
    yield who.get("/requests")
    yield who.get("/requests?queued=true")
    yield who.get(f"/requests/{world['asked']}")
    yield who.get(f"/requests/{world['asked']}/events")
    yield who.get("/events")
    yield who.get("/repos")
    yield who.get(f"/sessions/{HOLDER}/pending_requests")
    yield who.get(f"/sessions/{ASKER}/pending_requests")
    yield who.post("/claims", {"claims": [{"type": "file", "pattern": "a.py"}]})
    yield who.get(f"/requests/queue/{world['ticket']}")


def test_an_agent_sees_no_session_of_another_in_full(alice, bob, person, world):
    for who, others in ((alice, [ASKER]), (bob, [HOLDER]), (person("carol"), [ASKER, HOLDER])):
        answers = [*everything(who, world)]
        for _, body in answers:
            for other in others:
                assert other not in json.dumps(body)
    assert ASKER not in json.dumps(world["answers"])
    assert world["answers"][0][1]["requester_session_id"] == short_session(ASKER)


def test_the_holder_sees_its_own(alice, bob, world):
    assert alice.get("/claims")[1]["claims"][0]["session_id"] == HOLDER
    assert bob.get("/claims")[1]["claims"][0]["session_id"] == short_session(HOLDER)
    row = bob.get(f"/requests/{world['asked']}")[1]
    assert (row["requester_session_id"], row["decided_by_session_id"]) == (ASKER, short_session(HOLDER))
    events = bob.get("/events?type=claim_granted")[1]["events"]
    assert events[0]["actor_session_id"] == events[0]["detail"]["session_id"] == short_session(HOLDER)


def test_who_names_a_session_knows_it(person, world):
    plain = person("alice")
    assert plain.get(f"/claims?session_id={HOLDER}")[1]["claims"][0]["session_id"] == HOLDER
    rows = person("bob").get(f"/requests?session_id={ASKER}")[1]["requests"]
    assert {row["requester_session_id"] for row in rows} == {ASKER}


def test_operators_and_the_shared_token_see_all(api, person, world):
    for who in (api, person("olga", role="operator")):
        assert who.get("/claims")[1]["claims"][0]["session_id"] == HOLDER
        assert who.get(f"/requests/{world['asked']}")[1]["requester_session_id"] == ASKER
        assert HOLDER in json.dumps(who.get("/events")[1])


def test_a_reader_sees_none(person, world):
    for role in ("viewer", "ci"):
        for _, body in everything(person("dora", role=role), world):
            assert HOLDER not in json.dumps(body)
            assert ASKER not in json.dumps(body)


@pytest.mark.parametrize("session", ["a", "ab", "abcd", "abcde", "x" * 8, "y" * 200])
def test_a_shortened_id_is_not_the_id(session):
    assert short_session(session) != session
    assert len(short_session(session)) <= 9
