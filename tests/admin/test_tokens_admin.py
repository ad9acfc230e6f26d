"""Personal tokens in admin."""

from __future__ import annotations

import re

import pytest

from coordsite.models import Token
from tests.conftest import Api
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def shown(said):
    return re.search(r"coordt_[0-9a-f]{64}", " ".join(said))[0]


def make(desk, **fields):
    data = {"engineer": "alice", "role": "agent", "repositories": "", "expires_in": "", "description": ""}
    return desk.save("coordsite/token/add/", **{**data, **fields})


def test_it_makes_a_token_and_shows_it_once(olga):
    said = make(olga, repositories="Org/App", expires_in="30d", description="laptop")
    raw, token = shown(said), Token.objects.get()
    assert any(f"{token.prefix}… of alice" in text for text in said)
    assert (token.engineer, token.repositories, token.created_by) == ("alice", ["org/app"], "olga")
    assert (token.expires_at - token.created_at).days == 30
    status, body = Api(raw).claim("alice", "a.py", repo="org/app")
    assert status == 200, body
    page = olga.page(f"coordsite/token/{token.pk}/change/")
    assert raw not in page
    assert token.prefix in page
    assert token.digest not in page
    assert Event.objects.get(event_type="token_created").operator == "olga"


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("expires_in", "soon", "not a duration"),
        ("engineer", "", "required"),
        ("role", "king", "valid choice"),
    ],
)
def test_it_names_what_is_wrong(olga, field, value, problem):
    data = {"engineer": "alice", "role": "agent", "repositories": "", "expires_in": "", "description": ""}
    answer = olga.client.post("/admin/coordsite/token/add/", {**data, field: value})
    assert problem in answer.content.decode()
    assert not Token.objects.exists()


def test_it_rotates_with_a_grace(olga):
    old = shown(make(olga))
    said = olga.act("coordsite/token", "rotate", Token.objects.get().pk, grace="1h")
    new = shown(said)
    assert Api(old).get("/claims")[0] == 200
    assert Api(new).get("/claims")[0] == 200
    assert Token.objects.get(rotated_from__isnull=False).engineer == "alice"


def test_it_revokes_at_once(olga):
    raw = shown(make(olga))
    olga.act("coordsite/token", "revoke", Token.objects.get().pk)
    assert Api(raw).get("/claims")[0] == 401
    assert Event.objects.get(event_type="token_revoked").operator == "olga"


def test_it_lets_a_viewer_look_and_nothing_else(vera, olga):
    make(olga)
    assert "alice" in vera.page("coordsite/token/")
    assert vera.status("coordsite/token/add/") == 403
