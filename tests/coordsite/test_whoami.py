"""``GET /whoami``."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

pytestmark = pytest.mark.django_db


def test_it_tells_what_a_personal_token_proves(person, clock):
    alice = person("alice", session="s-1", repositories=["org/app"], description="laptop")
    status, body = alice.get("/whoami")
    token = body.pop("token")
    assert status == 200
    assert body == {
        "auth_kind": "per_engineer",
        "engineer": "alice",
        "repo_scope": "org/app",
        "scoped": True,
        "role": "agent",
        "operator": False,
        "repositories": ["org/app"],
        "session_id": "s-1",
    }
    assert (token["id"], token["description"], token["last_used_at"]) == (
        alice.token.id,
        "laptop",
        "2026-11-23T12:00:00Z",
    )
    assert alice.last["X-Coord-Repo-Scope"] == "org/app"


def test_it_names_no_single_repository_of_several(person):
    body = person("alice", repositories=["org/b", "org/a"]).get("/whoami")[1]
    assert (body["repo_scope"], body["repositories"], body["scoped"]) == (None, ["org/a", "org/b"], True)


def test_it_tells_the_shared_token(api):
    status, body = api.get("/whoami")
    assert status == 200
    assert body == {
        "auth_kind": "shared",
        "engineer": None,
        "repo_scope": None,
        "scoped": False,
        "role": "operator",
        "operator": True,
        "repositories": [],
        "session_id": None,
        "token": None,
    }
    assert "X-Coord-Repo-Scope" not in api.last


def test_it_tells_a_service_without_tokens(api, config):
    config(auth_token=SecretStr(""), allow_insecure_no_auth=True)
    api.headers = {}
    assert api.get("/whoami")[1]["auth_kind"] is None


def test_it_tells_nobody_nothing(api):
    api.headers = {}
    assert api.get("/whoami")[0] == 401
