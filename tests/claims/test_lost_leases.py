"""What ends a claim without its holder, the holder's session is told: which, why, who holds it now."""

from __future__ import annotations

import pytest

REPO = "org/app"


@pytest.fixture
def held(api, clock):
    """alice's claim, of session ``sa``."""
    return api.claim("alice", "src/**", session_id="sa", repo=REPO)[1]["claim_ids"][0]


@pytest.fixture
def olga(person):
    """An operator with a token of her own."""
    return person("olga", role="operator")


def answered(decision, **fields):
    def answer(api, who, claim_id):
        asked = api.post("/requests", {"claim_id": claim_id, "requester": "bob", "wait_seconds": 0})[1]
        assert who.post(f"/requests/{asked['id']}/respond", {"decision": decision, **fields})[0] == 200

    return answer


def released(api, who, claim_id):
    assert who.delete(f"/claims/{claim_id}")[1] == {"released": 1}


def released_among_others(api, who, claim_id):
    own = who.claim("olga", "own.py", repo=REPO, session_id="so")[1]["claim_ids"]
    assert who.post("/claims/release", {"claim_ids": [*own, claim_id]})[1] == {"released": 2}
    assert lost(api, "so") == []


def session_ended(api, who, claim_id):
    assert who.post("/sessions/sa/release")[1] == {"released": 1}


def lost(api, session="sa"):
    """What the inbox tells of lost leases; the heartbeat tells the same."""
    pending = api.get(f"/sessions/{session}/pending_requests")[1]["pending"]
    told = [entry for entry in pending if entry["kind"] == "lease-lost"]
    assert api.post(f"/sessions/{session}/heartbeat")[1]["lost"] == told
    return [(entry["pattern"], entry["reason"], entry["held_now_by"]) for entry in told]


WAYS = {
    "release": (released, "operator"),
    "release with her own": (released_among_others, "operator"),
    "session release": (session_ended, "operator"),
    "approval": (answered("approved"), "approved"),
    "narrowing": (answered("narrowed", narrowed_pattern="src/lib/**"), "narrowed"),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_tells_of_what_an_operator_did(api, clock, held, olga, way):
    act, reason = WAYS[way]
    act(api, olga, held)
    assert lost(api) == [("src/**", reason, None)]
    api.claim("carol", "src/a.py", repo=REPO)
    assert lost(api) == [("src/**", reason, "carol")]


def test_it_tells_of_an_answer_that_named_nobody(api, clock, held):
    answered("approved")(api, api, held)
    assert lost(api) == [("src/**", "approved", None)]


@pytest.mark.parametrize("said", [{"engineer": "alice"}, {"session_id": "sa"}])
@pytest.mark.parametrize("decision", [("approved", {}), ("narrowed", {"narrowed_pattern": "src/lib/**"})])
def test_what_the_holder_agreed_to_is_not_lost(api, clock, held, said, decision):
    answered(decision[0], **decision[1], **said)(api, api, held)
    assert lost(api) == []


@pytest.mark.parametrize("how", ["claim", "session"])
def test_what_the_holder_gave_up_with_its_own_token_is_not_lost(clock, person, how):
    olga = person("olga", role="operator", session="so")
    claim_id = olga.claim("olga", "a.py", repo=REPO)[1]["claim_ids"][0]
    if how == "claim":
        olga.delete(f"/claims/{claim_id}")
    else:
        olga.post("/sessions/so/release")
    assert lost(olga, "so") == []
