"""``/tokens``: operators make, list, rotate and revoke personal tokens."""

from __future__ import annotations

import pytest

from coordsite.models import Token
from tests.conftest import Api
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def test_it_makes_a_token_and_shows_it_once(api, clock):
    status, body = api.post(
        "/tokens",
        {
            "engineer": "alice",
            "role": "ci",
            "repositories": ["Org/App"],
            "description": "gate",
            "expires_in": "30d",
        },
    )
    raw = body.pop("token")
    assert status == 201
    assert body == {
        "id": Token.objects.get().id,
        "prefix": raw[:13],
        "engineer": "alice",
        "role": "ci",
        "repositories": ["org/app"],
        "description": "gate",
        "status": "active",
        "created_at": "2026-11-23T12:00:00Z",
        "created_by": "shared-token",
        "expires_at": "2026-12-23T12:00:00Z",
        "last_used_at": None,
        "revoked_at": None,
        "rotated_from": None,
        "rotation_grace_until": None,
    }
    assert api.last["Cache-Control"] == "no-store"
    assert Api(raw).get("/whoami")[1]["engineer"] == "alice"
    assert raw not in str(api.get("/tokens")[1])
    assert Event.objects.get().operator == "shared-token"


def test_it_lists_in_pages(api, person, clock):
    made = []
    for name in ("alice", "bob", "alice", "carol", "alice"):
        made.append(person(name).token.id)
        clock.advance(1)
    first = api.get("/tokens?limit=2")[1]
    assert [row["id"] for row in first["tokens"]] == made[:2:-1]
    rest = api.get(f"/tokens?limit=9&cursor={first['next_cursor']}")[1]
    assert [row["id"] for row in rest["tokens"]] == made[2::-1]
    assert rest["next_cursor"] is None
    assert api.get("/tokens?engineer=alice")[1]["count"] == 3
    assert api.get("/tokens?cursor=none")[0] == 400


def test_it_lists_revoked_ones_when_asked(api, person):
    token = person("alice").token
    status, body = api.delete(f"/tokens/{token.id}")
    assert (status, body["status"], body["id"]) == (200, "revoked", token.id)
    assert api.delete(f"/tokens/{token.id[:8]}") == (status, body)
    assert api.get("/tokens")[1]["tokens"] == []
    assert api.get("/tokens?include_revoked=true")[1]["tokens"] == [body]


def test_it_rotates(api, person, clock):
    alice = person("alice")
    status, body = api.post(f"/tokens/{alice.token.id[:8]}/rotate", {"grace": "1h", "expires_in": "7d"})
    assert status == 201
    assert body["rotated_from"] == alice.token.id
    assert body["expires_at"] == "2026-11-30T12:00:00Z"
    rows = {row["id"]: row for row in api.get("/tokens")[1]["tokens"]}
    assert rows[alice.token.id]["status"] == "rotating"
    assert rows[alice.token.id]["rotation_grace_until"] == "2026-11-23T13:00:00Z"
    clock.advance(3600)
    assert alice.get("/claims")[0] == 401
    assert Api(body["token"]).get("/claims")[0] == 200
    status, body = api.post(f"/tokens/{alice.token.id}/rotate")
    assert (status, body["detail"]) == (409, "The token was rotated already")
    status, body = api.post(f"/tokens/{alice.token.id}/rotate")
    assert status == 409


def test_a_grace_of_nothing_ends_the_old_one(api, person):
    alice = person("alice")
    assert api.post(f"/tokens/{alice.token.id}/rotate", {"grace": "0h"})[0] == 201
    assert alice.get("/claims")[0] == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "engineer"),
        ({"engineer": ""}, "engineer"),
        ({"engineer": "a" * 201}, "engineer"),
        ({"engineer": "alice", "role": "root"}, "role"),
        ({"engineer": "alice", "expires_in": "0d"}, "expires_in"),
        ({"engineer": "alice", "expires_in": "-1d"}, "expires_in"),
        ({"engineer": "alice", "expires_in": "soon"}, "expires_in"),
        ({"engineer": "alice", "expires_in": "9999w"}, "expires_in"),
        ({"engineer": "alice", "repositories": "org/app"}, "repositories"),
        ({"engineer": "alice", "description": "x" * 501}, "description"),
    ],
)
def test_it_names_a_wrong_field(api, body, field):
    status, answer = api.post("/tokens", body)
    assert (status, answer["code"]) == (422, "invalid")
    assert answer["detail"][0]["loc"][:2] == ["body", field]
    assert not Token.objects.exists()


def test_it_names_a_wrong_repository(api):
    status, answer = api.post("/tokens", {"engineer": "alice", "repositories": ["a b"]})
    assert status == 400
    assert answer["detail"].startswith("repositories: 'a b' is not a repository id")


@pytest.mark.parametrize(("path", "status"), [("/tokens/short", 400), ("/tokens/00000000", 404)])
def test_it_knows_no_such_token(api, path, status):
    assert api.delete(path)[0] == status
    assert api.post(f"{path}/rotate")[0] == status


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "agent"},
        {"role": "operator", "repositories": ["org/app"]},
        {"role": "viewer"},
        {"role": "ci"},
    ],
)
def test_it_is_for_operators_without_limits(person, fields):
    who = person("alice", **fields)
    before = Token.objects.count()
    for status, body in (
        who.get("/tokens"),
        who.post("/tokens", {"engineer": "alice", "role": "operator"}),
        who.post(f"/tokens/{who.token.id}/rotate"),
        who.delete(f"/tokens/{who.token.id}"),
    ):
        assert (status, body["code"]) == (403, "forbidden")
    assert Token.objects.count() == before
    assert who.get("/whoami")[0] == 200


def test_an_operators_token_makes_others(person):
    olga = person("olga", role="operator")
    status, body = olga.post("/tokens", {"engineer": "alice"})
    assert (status, body["created_by"]) == (201, "olga")
    assert Event.objects.last().operator == "olga"
