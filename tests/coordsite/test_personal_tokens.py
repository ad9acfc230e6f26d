"""What a personal token proves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError
from pydantic import SecretStr

from common import metrics
from common.caller import SYSTEM, Caller
from common.errors import Conflict, Invalid, NotFound
from coordsite.authentication import TokenRefused, resolve_token
from coordsite.models import Token
from coordsite.tokens import selectors, services
from coordsite.tokens.services import create_token, revoke_token, rotate_token
from webhooks.models import Event

pytestmark = pytest.mark.django_db
OLGA = Caller(kind="admin", name="olga", operator=True)


def test_it_stores_no_token(clock):
    made = create_token(caller=OLGA, engineer=" alice ", description="laptop")
    assert len(made.raw) == len("coordt_") + 64
    row = Token.objects.get()
    kept = " ".join(str(value) for value in vars(row).values())
    assert made.raw not in kept
    assert made.raw[7:40] not in kept
    assert (row.engineer, row.role, row.repositories, row.description) == ("alice", "agent", [], "laptop")
    assert (row.prefix, row.created_by, row.created_at) == (made.raw[:13], "olga", clock())


def test_it_proves_an_engineer(clock):
    made = create_token(caller=OLGA, engineer="alice", repositories=["Org/App", "org/app", "org/b"])
    assert resolve_token(made.raw) == Caller(
        kind="personal",
        name="alice",
        engineer="alice",
        repositories=frozenset({"org/app", "org/b"}),
        token_id=made.token.id,
    )


@pytest.mark.parametrize(
    ("role", "operator", "acts"),
    [("agent", False, True), ("ci", False, False), ("operator", True, True), ("viewer", False, False)],
)
def test_it_proves_a_role(role, operator, acts):
    caller = resolve_token(create_token(caller=OLGA, engineer="alice", role=role).raw)
    assert (caller.role, caller.operator, caller.acts) == (role, operator, acts)


@pytest.mark.parametrize("raw", ["coordt_" + "0" * 64, "coordt_", "coordt_" + "Z" * 64, "x"])
def test_it_knows_no_other_token(raw):
    assert resolve_token(raw) is None


def test_it_takes_a_shared_token_that_looks_personal(config):
    raw = "coordt_" + "a" * 64
    config(auth_token=SecretStr(raw))
    assert resolve_token(raw).kind == "shared"


def test_a_revoked_token_is_as_an_unknown_one(api, person):
    alice = person("alice")
    assert alice.get("/claims")[0] == 200
    revoke_token(caller=OLGA, token_id=alice.token.id)
    status, body = alice.get("/claims")
    assert (status, body["detail"]) == (401, "Invalid bearer token")


def test_an_expired_token_says_so(clock, person):
    alice = person("alice", expires_in=timedelta(hours=1))
    clock.advance(3599)
    assert alice.get("/claims")[0] == 200
    clock.advance(1)
    failures = metrics.REGISTRY.get_sample_value("auth_failures_total")
    status, body = alice.get("/claims")
    assert (status, body["code"]) == (401, "unauthenticated")
    assert body["detail"] == "The token expired at 2026-11-23T13:00:00Z"
    assert body["next"] == "Ask for a new token."
    assert alice.token.id not in str(body)
    assert metrics.REGISTRY.get_sample_value("auth_failures_total") == failures + 1


def test_a_rotated_token_works_until_its_grace_ends(clock, person):
    alice = person("alice", role="ci", repositories=["org/app"], description="laptop")
    new = rotate_token(caller=OLGA, token_id=alice.token.id, grace=timedelta(hours=2))
    assert alice.get("/claims")[0] == 200
    assert (new.token.engineer, new.token.role, new.token.repositories, new.token.description) == (
        "alice",
        "ci",
        ["org/app"],
        "laptop",
    )
    assert new.token.rotated_from_id == alice.token.id
    assert resolve_token(new.raw).repositories == {"org/app"}
    clock.advance(7200)
    status, body = alice.get("/claims")
    assert (status, body["detail"]) == (401, "The token was rotated and worked until 2026-11-23T14:00:00Z")
    assert resolve_token(new.raw).engineer == "alice"


def test_a_rotation_without_grace_ends_the_old_one_at_once(clock, person):
    alice = person("alice")
    rotate_token(caller=OLGA, token_id=alice.token.id, grace=timedelta(0))
    assert alice.get("/claims")[0] == 401


def test_a_successor_lives_as_long_as_the_old_one_was_made_to(clock, person):
    alice = person("alice", expires_in=timedelta(days=30))
    clock.advance(86_400)
    new = rotate_token(caller=OLGA, token_id=alice.token.id)
    assert new.token.expires_at == clock() + timedelta(days=30)
    short = rotate_token(caller=OLGA, token_id=new.token.id, expires_in=timedelta(hours=1))
    assert short.token.expires_at == clock() + timedelta(hours=1)


@pytest.mark.parametrize(
    ("end", "reason"),
    [("revoke", "The token is revoked"), ("expire", "The token is expired"), ("rotate", "rotated already")],
)
def test_it_rotates_only_a_token_that_works(clock, end, reason):
    token = create_token(caller=OLGA, engineer="alice", expires_in=timedelta(hours=1)).token
    if end == "revoke":
        revoke_token(caller=OLGA, token_id=token.id)
    elif end == "rotate":
        rotate_token(caller=OLGA, token_id=token.id)
    else:
        clock.advance(3600)
    before = Token.objects.count()
    with pytest.raises(Conflict, match=reason):
        rotate_token(caller=OLGA, token_id=token.id)
    assert Token.objects.count() == before


def test_each_change_is_an_event_with_the_operators_name():
    made = create_token(caller=OLGA, engineer="alice", repositories=["org/app"])
    new = rotate_token(caller=OLGA, token_id=made.token.id)
    revoke_token(caller=OLGA, token_id=new.token.id)
    revoke_token(caller=OLGA, token_id=new.token.id)
    events = list(Event.objects.order_by("seq"))
    assert [event.event_type for event in events] == ["token_created", "token_rotated", "token_revoked"]
    assert {event.operator for event in events} == {"olga"}
    assert [event.detail["token_id"] for event in events] == [made.token.id, new.token.id, new.token.id]
    assert events[1].detail["rotated_from"] == made.token.id
    for event in events:
        assert made.raw not in str(event.detail)
        assert event.detail["repositories"] == ["org/app"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"engineer": ""},
        {"engineer": "a\nb"},
        {"engineer": "a" * 201},
        {"role": "root"},
        {"repositories": ["no spaces"]},
        {"repositories": [""]},
        {"repositories": [f"org/{n}" for n in range(101)]},
    ],
)
def test_it_makes_no_token_that_cannot_be(wrong):
    with pytest.raises(Invalid, match=next(iter(wrong))):
        create_token(caller=OLGA, **{"engineer": "alice", **wrong})
    assert not Token.objects.exists()


def test_it_notes_its_use_once_a_minute(clock, django_assert_num_queries):
    made = create_token(caller=OLGA, engineer="alice")
    first = clock()
    resolve_token(made.raw)
    clock.advance(59)
    with django_assert_num_queries(1):
        resolve_token(made.raw)
    assert Token.objects.get().last_used_at == first
    clock.advance(1)
    resolve_token(made.raw)
    assert Token.objects.get().last_used_at == clock()


def test_a_use_that_cannot_be_noted_refuses_nobody(clock, monkeypatch):
    made = create_token(caller=OLGA, engineer="alice")

    def fail(*args, **kwargs):
        raise DatabaseError("locked")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", fail)
    assert resolve_token(made.raw).engineer == "alice"


def test_it_may_refuse_the_shared_token(api, person, config):
    config(require_per_engineer_token=True)
    status, body = api.get("/claims")
    assert (status, body["detail"]) == (401, "The shared token is not accepted here")
    assert "coord tokens create" in body["next"]
    assert api.get("/claims", Authorization="Bearer wrong")[1]["detail"] == "Invalid bearer token"
    assert person("alice").get("/claims")[0] == 200
    assert api.get("/meta")[1]["auth_mode"] == "per_engineer"


def test_it_may_refuse_a_token_without_repositories(api, person, config):
    free, bound = person("alice"), person("bob", repositories=["org/app"])
    operator = person("olga", role="operator")
    config(require_scoped_token=True)
    status, body = free.get("/claims")
    assert (status, body["detail"]) == (401, "A token without repositories is not accepted here")
    assert [caller.get("/claims")[0] for caller in (bound, operator, api)] == [200, 200, 200]
    with pytest.raises(Invalid, match="COORD_REQUIRE_SCOPED_TOKEN"):
        create_token(caller=OLGA, engineer="carol")


def test_it_finds_a_token_by_the_beginning_of_its_id():
    token = create_token(caller=OLGA, engineer="alice").token
    assert selectors.find_token(token.id[:8]) == token
    assert selectors.find_token(token.id.upper()) == token
    with pytest.raises(Invalid, match="too short"):
        selectors.find_token(token.id[:7])
    with pytest.raises(NotFound):
        selectors.find_token("00000000-none")
    twin = Token(id=token.id[:9] + "twin", engineer="b", digest="d", created_at=token.created_at)
    twin.save()
    with pytest.raises(Conflict, match=twin.id):
        selectors.find_token(token.id[:8])


def test_it_lists_usable_tokens(clock):
    short = create_token(caller=OLGA, engineer="alice", expires_in=timedelta(hours=1)).token
    long = create_token(caller=OLGA, engineer="alice").token
    services.rotate_token(caller=SYSTEM, token_id=long.id, grace=timedelta(hours=1))
    assert selectors.usable_tokens().count() == 3
    clock.advance(3600)
    assert short not in selectors.usable_tokens()
    assert selectors.usable_tokens().count() == 1


def test_a_refusal_is_not_an_unknown_token(clock):
    made = create_token(caller=OLGA, engineer="alice", expires_in=timedelta(hours=1))
    clock.advance(3600)
    with pytest.raises(TokenRefused):
        resolve_token(made.raw)
