"""What each role may do over the API."""

from __future__ import annotations

import pytest

from claims.models import Claim
from queueing.models import Ticket

pytestmark = pytest.mark.django_db

READS = [
    "/claims",
    "/repos",
    "/requests",
    "/events",
    "/metrics/hotspots",
    "/metrics/auto-resolutions",
    "/whoami",
]
WRITES = [
    ("post", "/claims"),
    ("delete", "/claims/x"),
    ("post", "/claims/release"),
    ("post", "/claims/x/extend"),
    ("post", "/requests"),
    ("delete", "/requests/x"),
    ("post", "/requests/x/respond"),
    ("get", "/requests/queue/x"),
    ("post", "/sessions/x/release"),
    ("post", "/sessions/x/heartbeat"),
    ("post", "/tokens"),
    ("post", "/webhooks/endpoints"),
    ("post", "/config/ownership"),
]


@pytest.mark.parametrize("role", ["ci", "viewer"])
def test_it_may_read(person, role):
    reader = person("alice", role=role)
    assert [(path, reader.get(path)[0]) for path in READS] == [(path, 200) for path in READS]


@pytest.mark.parametrize("role", ["ci", "viewer"])
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_it_may_not_write(person, role, method, path):
    status, body = person("alice", role=role).call(method, path)
    assert (status, body["code"]) == (403, "forbidden")
    assert body["detail"] == f"A token with role {role} may only read and check"
    assert body["next"] == "Use a token with role agent or operator."


@pytest.mark.parametrize("role", ["ci", "viewer"])
def test_it_may_check_for_anybody(api, person, role):
    api.claim("bob", "a.py", session_id="session-bob-1")
    gate = person("gate", role=role)
    assert gate.get("/conflicts?pattern=a.py")[1]["has_conflicts"] is True
    assert gate.get("/conflicts?pattern=a.py&engineer=alice")[1]["has_conflicts"] is True
    assert gate.get("/conflicts?pattern=a.py&engineer=bob")[1]["has_conflicts"] is False
    body = {"patterns": ["a.py"], "engineer": "carol", "session_ids": ["session-bob-1"]}
    assert gate.post("/conflicts/batch", body)[1]["has_conflicts"] is False


def test_a_reader_is_no_sign_of_life(api, person, clock, config):
    config(idle_timeout_sec=100)
    api.claim("alice", "a.py", session_id="session-1")
    clock.advance(50)
    viewer = person("alice", role="viewer", session="session-1")
    assert viewer.get("/claims?session_id=session-1")[0] == 200
    assert viewer.get("/sessions/session-1/pending_requests")[0] == 200
    assert (clock() - Claim.objects.get().last_activity).total_seconds() == 50


def test_a_reader_picks_no_grant_up(api, person):
    held = api.claim("bob", "a.py")[1]["claim_ids"][0]
    alice = person("alice")
    _, line = alice.post(
        "/claims", {"claims": [{"type": "file", "pattern": "a.py"}], "hold_place_seconds": 600}
    )
    api.delete(f"/claims/{held}")
    viewer = person("alice", role="viewer")
    assert viewer.get(f"/requests/queue/{line['queue_id']}")[0] == 403
    assert Ticket.objects.get().state == "offered"
    assert alice.get(f"/requests/queue/{line['queue_id']}")[0] == 200
