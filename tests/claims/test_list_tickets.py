"""``GET /requests?queued=true``, limits of the line, ``X-Coord-Queue-Depth``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common import clock as time_source
from queueing.models import Ticket


@pytest.fixture
def line(api, clock):
    """bob, then carol (more urgent), in ``org/app``; bob in ``org/other`` too."""
    for repo in ("org/app", "org/other"):
        api.claim("alice", "a.py", repo=repo, session_id="sa")

    def wait(engineer, repo, **fields):
        return api.claim(
            engineer, "a.py", repo=repo, session_id=f"session-{engineer}", hold_place_seconds=600, **fields
        )[1]["queue_id"]

    return wait("bob", "org/app"), wait("carol", "org/app", urgency="high"), wait("bob", "org/other")


def listed(api, query=""):
    status, body = api.get(f"/requests?queued=true{query}")
    assert status == 200
    assert (body["queued"], body["count"]) == (True, len(body["requests"]))
    return body["requests"]


def test_it_shows_priority_true_position_and_blocker(api, line):
    bob, carol, _ = line
    rows = {row["queue_id"]: row for row in listed(api, "&repo=org/app")}
    assert set(rows) == {bob, carol}
    assert [(rows[q]["priority"], rows[q]["position"]) for q in (bob, carol)] == [("normal", 2), ("high", 1)]
    assert rows[bob] | {"eta_s": 0} == {
        "kind": "queued",
        "queue_id": bob,
        "blocking_claim_id": rows[carol]["blocking_claim_id"],
        "blocking_engineer": "alice",
        "blocking_pattern": "a.py",
        "requester_engineer": "bob",
        "requester_pattern": "a.py",
        "claim_type": "file",
        "symbols": None,
        "position": 2,
        "state": "waiting",
        "enqueued_at": "2026-11-23T12:00:00Z",
        "expires_at": "2026-11-23T12:10:00Z",
        "granted_claim_id": None,
        "priority": "normal",
        "repo": "org/app",
        "patterns": ["a.py"],
        "eta_s": 0,
        "reason": None,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {0, 1, 2}),
        ("&repo=org/app", {0, 1}),
        ("&repo=ORG/other", {2}),
        ("&repo=nope", set()),
        ("&requester=bob", {0, 2}),
        ("&requester=bob&repo=org/app", {0}),
        ("&session_id=session-carol", {1}),
        ("&state=waiting", {0, 1, 2}),
        ("&state=granted", set()),
        ("&state=cancelled", set()),
    ],
)
def test_it_filters(api, line, query, found):
    assert {row["queue_id"] for row in listed(api, query)} == {line[n] for n in found}


def test_states_are_told_apart(api, line, clock):
    bob, carol, _ = line
    holder = api.get("/claims?repo=org/app")[1]["claims"][0]["id"]
    api.delete(f"/claims/{holder}")
    assert [row["queue_id"] for row in listed(api, "&state=in_progress")] == [carol]
    with time_source.running(lambda: clock() + timedelta(seconds=15)):
        assert listed(api, "&state=in_progress") == [], "it was not picked up"
    granted = api.get(f"/requests/queue/{carol}")[1]["claim_ids"]
    (row,) = listed(api, "&state=granted")
    assert (row["queue_id"], row["granted_claim_id"]) == (carol, granted[0])
    api.delete(f"/requests/{bob}")
    (row,) = listed(api, "&state=cancelled")
    assert (row["queue_id"], row["reason"]) == (bob, "cancelled")


def test_a_token_for_one_repository_sees_its_line_alone(api, line, person):
    dave = person("dave", repositories=["org/other"])
    assert [row["queue_id"] for row in listed(dave)] == [line[2]]


def test_a_place_that_is_over_is_not_listed_nor_counted(api, line, clock, config):
    config(max_queue_depth_per_repo=2, max_queued_per_party=3)
    clock.advance(600)
    assert listed(api) == []
    api.get("/claims", X_Coord_Engineer="carol")
    assert api.last.headers["X-Coord-Queue-Depth"] == "0"
    assert api.claim("dave", "a.py", repo="org/app", hold_place_seconds=60)[0] == 202


def test_the_line_of_a_repository_is_bounded(api, line, config):
    config(max_queue_depth_per_repo=2)
    status, body = api.claim("dave", "a.py", repo="org/app", wait_seconds=60)
    assert (status, body["code"], body["retryable"]) == (429, "too_many", True)
    assert api.last.headers["Retry-After"] == "60"
    assert Ticket.objects.filter(engineer="dave").count() == 0
    assert api.claim("dave", "a.py", repo="org/other", hold_place_seconds=60)[0] == 202


def test_a_credential_is_bounded_whatever_names_it_uses(api, line, config, person):
    config(max_queued_per_party=3)
    status, body = api.claim("an-invented-name", "a.py", repo="org/app", wait_seconds=60)
    assert (status, body["code"]) == (429, "too_many")
    assert "DELETE /requests/{queue_id}" in body["next"]
    assert person("dave").claim("dave", "a.py", repo="org/app", hold_place_seconds=60)[0] == 202
    api.delete(f"/requests/{line[0]}")
    assert api.claim("erin", "a.py", repo="org/app", hold_place_seconds=60)[0] == 202


def test_every_answer_tells_an_engineer_how_many_of_its_tickets_wait(api, line, person, config):
    bob = person("bob")
    bob.get("/claims")
    assert bob.last.headers["X-Coord-Queue-Depth"] == "2"
    person("bob", repositories=["org/app"]).get("/claims")
    scoped = person("bob", repositories=["org/app"])
    scoped.get("/claims")
    assert scoped.last.headers["X-Coord-Queue-Depth"] == "1"
    api.get("/claims")
    assert "X-Coord-Queue-Depth" not in api.last.headers
    api.get("/claims", X_Coord_Engineer="carol")
    assert api.last.headers["X-Coord-Queue-Depth"] == "1"
    bob.get("/claims", X_Coord_Engineer="carol")
    assert bob.last.headers["X-Coord-Queue-Depth"] == "2", "its own"
    config(backpressure_header=False)
    bob.get("/claims")
    assert "X-Coord-Queue-Depth" not in bob.last.headers


@pytest.mark.django_db(transaction=True)
def test_an_answer_after_waiting_tells_it_too(api, line, person):
    bob = person("bob")
    assert bob.claim("bob", "a.py", repo="org/app", session_id="session-bob", wait_seconds=1)[0] == 409
    assert bob.last.headers["X-Coord-Queue-Depth"] == "2"
