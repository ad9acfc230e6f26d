"""Who may use the ownership API."""

from __future__ import annotations

import pytest

from common.caller import Caller
from coordsite.authentication import BearerAuthentication

BOUND = Caller(kind="personal", name="t", engineer="alice", repositories=frozenset({"org/app"}))
FREE = Caller(kind="personal", name="t", engineer="alice")
BOUND_OPERATOR = Caller(
    kind="personal", name="t", engineer="alice", repositories=frozenset({"org/app"}), operator=True
)
OPERATOR = Caller(kind="personal", name="t", engineer="alice", operator=True)


@pytest.fixture
def called_by(monkeypatch):
    def use(caller):
        monkeypatch.setattr(BearerAuthentication, "authenticate", lambda self, request: (None, caller))

    return use


def calls(api):
    yield api.get("/config/ownership")
    yield api.post("/config/ownership", {"modules": {"a": {"paths": ["x"]}}})
    yield api.get("/config/ownership/revisions")
    yield api.get("/config/ownership/revisions/1")
    yield api.post("/metrics/hotspots/promote", {"action": "shared_file", "pattern": "a.py"})


@pytest.mark.parametrize("caller", [BOUND, FREE, BOUND_OPERATOR])
def test_it_keeps_the_document_to_operators(api, called_by, caller):
    called_by(caller)
    for status, body in calls(api):
        assert (status, body["code"]) == (403, "forbidden")


def test_it_writes_the_operators_name(api, called_by):
    called_by(OPERATOR)
    assert [status for status, _ in calls(api)][:3] == [204, 200, 200]
    assert api.get("/config/ownership/revisions")[1]["revisions"][0]["author"] == "alice"


def test_it_shows_a_caller_the_hotspots_of_its_repositories(api, refused, called_by):
    refused("a.py", repo="org/app")
    refused("b.py", repo="org/secret")
    called_by(BOUND)
    _, body = api.get("/metrics/hotspots?min_attempts=1")
    assert [row["repo"] for row in body["hotspots"]] == ["org/app"]
    status, body = api.get("/metrics/hotspots?min_attempts=1&repo=org/secret")
    assert (status, body["code"]) == (403, "forbidden")
