"""``ws/events`` and ``ws/queue/{queue_id}``."""

from __future__ import annotations

import base64

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from pydantic import SecretStr

from common import wakeups
from common.caller import Caller
from coordsite.asgi import application
from queueing import consumers
from queueing.routing import websocket_urlpatterns
from tests.conftest import TOKEN
from tests.webhooks.receiver import granted, record
from webhooks.models import Trim
from webhooks.types import EventType, NewEvent

pytestmark = pytest.mark.django_db(transaction=True)
BEARER = (b"authorization", f"Bearer {TOKEN}".encode())
HOST = (b"host", b"coord.test:8080")


class Socket(WebsocketCommunicator):
    """A client of the websocket application, closed at the end of the block."""

    def __init__(self, path, headers=(BEARER,), subprotocols=None, user=None, routes=None):
        own = URLRouter(websocket_urlpatterns)
        routes = routes or (own if user else AuthMiddlewareStack(own))
        super().__init__(routes, path, [HOST, *headers], subprotocols)
        if user:
            self.scope["user"] = user

    async def __aenter__(self):
        self.accepted, self.answer = await self.connect(timeout=10)
        return self

    async def __aexit__(self, *error):
        await self.disconnect(timeout=10)

    async def hear(self):
        return await self.receive_json_from(timeout=10)

    async def closed(self):
        output = await self.receive_output(timeout=10)
        assert output["type"] == "websocket.close"
        return output["code"]


async def tell(*events):
    return await sync_to_async(record)(*events)


async def test_it_tells_events_as_they_commit():
    await tell(granted(n=0))
    async with Socket("/ws/events") as socket:
        ready = await socket.hear()
        [seq] = await tell(granted(n=1))
        heard = await socket.hear()
    assert ready == {"type": "ready", "after": seq - 1}
    assert heard["type"] == "event"
    assert (heard["event"]["seq"], heard["event"]["detail"]) == (seq, {"n": 1})
    assert wakeups._hub._bells == {}


async def test_it_goes_on_from_a_position_without_missing_any():
    numbers = await tell(*(granted(n=n) for n in range(250)))
    async with Socket(f"/ws/events?after={numbers[0]}") as socket:
        assert await socket.hear() == {"type": "ready", "after": numbers[0]}
        heard = [(await socket.hear())["event"]["seq"] for _ in range(249)]
        [last] = await tell(granted())
        heard.append((await socket.hear())["event"]["seq"])
    assert heard == [*numbers[1:], last]


async def test_it_tells_of_one_repository():
    async with Socket("/ws/events?repo=a&after=latest") as socket:
        await socket.hear()
        await tell(granted("b", n=0), granted("", n=1))
        await tell(granted("a", n=2))
        assert (await socket.hear())["event"]["detail"] == {"n": 2}
    async with Socket("/ws/events?repo=") as socket:
        await socket.hear()
        await tell(granted("b", n=0), granted("", n=1))
        assert (await socket.hear())["event"]["detail"] == {"n": 1}


@pytest.mark.parametrize("headers", [(), ((b"authorization", b"Bearer wrong"),)])
@pytest.mark.parametrize("path", ["/ws/events", "/ws/queue/0b7f7c1e-5a53-4c59-8f2c-6f5a1f5f2d10"])
async def test_it_refuses_who_proves_nothing(path, headers):
    async with Socket(path, headers) as socket:
        assert (socket.accepted, socket.answer) == (False, 4401)


async def test_it_takes_the_token_as_a_subprotocol():
    coded = base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("=")
    async with Socket("/ws/events", (), ["coord", f"bearer.{coded}"]) as socket:
        assert (socket.accepted, socket.answer) == (True, "coord")
    for wrong in ("bearer.%%", "bearer.AAAA", "bearer."):
        async with Socket("/ws/events", (), ["coord", wrong]) as socket:
            assert not socket.accepted


async def test_it_says_that_events_are_gone():
    await Trim.objects.acreate(seq=5)
    async with Socket("/ws/events?after=4") as socket:
        assert (await socket.hear())["type"] == "ready"
        refusal = await socket.hear()
        assert (refusal["type"], refusal["code"]) == ("error", "gone")
        assert refusal["next"].endswith("after=5")
        assert await socket.closed() == 4410


async def test_it_tells_of_some_types():
    kinds = ["claim_released", "queue_offer", "claim_granted"]
    await tell(*(NewEvent(type=EventType(kind), repo="a") for kind in kinds))
    async with Socket("/ws/events?after=0&type=claim_granted&type=claim_released") as socket:
        await socket.hear()
        heard = [(await socket.hear())["event"]["event_type"] for _ in range(2)]
    assert heard == ["claim_released", "claim_granted"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("after=x", "after: Give a sequence number or latest"),
        ("after=-1", "after: Give a sequence number or latest"),
        ("type=nope", 'type: "nope" is not a valid choice.'),
        ("repo=%00", "repo: Null characters are not allowed."),
        ("&".join(f"a{n}=" for n in range(1001)), "The query has too many parameters"),
    ],
)
async def test_it_refuses_a_query_that_says_nothing(query, words):
    async with Socket(f"/ws/events?{query}") as socket:
        refusal = await socket.hear()
        assert (refusal["code"], refusal["detail"]) == ("invalid", words)
        assert await socket.closed() == 4400


@pytest.mark.parametrize("path", ["/ws/events/", "/ws/queue/nope", "/ws", "/elsewhere"])
async def test_it_says_that_there_is_no_such_path(path):
    async with Socket(path, routes=application) as socket:
        refusal = await socket.hear()
        assert (refusal["code"], refusal["detail"]) == ("not_found", f"No websocket has the path {path}")
        assert await socket.closed() == 4404
    async with Socket(path, (), routes=application) as socket:
        assert not socket.accepted


async def test_it_answers_to_the_services_names_only(settings):
    settings.ALLOWED_HOSTS = ["coord.test"]
    for more in ((), ((b"origin", b"http://tool.test"),)):
        async with Socket("/ws/events", (BEARER, *more), routes=application) as socket:
            assert socket.accepted
    settings.ALLOWED_HOSTS = ["elsewhere.test"]
    async with Socket("/ws/events", routes=application) as socket:
        assert not socket.accepted


async def test_it_keeps_to_the_callers_repositories(monkeypatch):
    limited = Caller(kind="personal", name="t", engineer="alice", repositories=frozenset({"a"}))
    monkeypatch.setattr(consumers, "caller_of", lambda scope, permission: limited)
    async with Socket("/ws/events?repo=b") as socket:
        assert (await socket.hear())["code"] == "forbidden"
        assert await socket.closed() == 4403
    async with Socket("/ws/events") as socket:
        await socket.hear()
        await tell(granted("b", n=0))
        await tell(granted("a", n=1))
        assert (await socket.hear())["event"]["detail"] == {"n": 1}


async def test_it_ends_when_the_token_is_revoked(monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK_S", 0.0)
    proved = [Caller(kind="personal", name="t", engineer="alice")]
    monkeypatch.setattr(consumers, "caller_of", lambda scope, permission: proved[0] if proved else None)
    async with Socket("/ws/events?repo=a") as socket:
        await socket.hear()
        await tell(granted("a"))
        assert (await socket.hear())["type"] == "event"
        proved.clear()
        await tell(granted("a"))
        heard = await socket.hear()
        if heard["type"] == "event":  # it was looked up just before
            heard = await socket.hear()
        assert heard["code"] == "unauthenticated"
        assert await socket.closed() == 4401


async def test_each_hears_of_others_sessions_as_much_as_it_may(person):
    """They read together, and are told apart."""
    carol = await sync_to_async(person)("carol")
    dave = await sync_to_async(person)("dave")
    headers = [(b"authorization", api.headers["Authorization"].encode()) for api in (carol, dave)]
    session = (b"x-coord-session", b"session-of-carol")
    async with (
        Socket("/ws/events") as operator,
        Socket("/ws/events", (headers[0], session)) as herself,
        Socket("/ws/events", (headers[1],)) as other,
    ):
        sockets = (operator, herself, other)
        for socket in sockets:
            await socket.hear()
        await tell(granted(session_id="session-of-carol"))
        shown = [(await socket.hear())["event"]["detail"]["session_id"] for socket in sockets]
    assert shown == ["session-of-carol", "session-of-carol", "session-…"]


async def test_it_believes_a_session_on_its_own_pages_only():
    def make(name, staff, *permissions):
        user = get_user_model().objects.create_user(name, is_staff=staff)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return user

    carol = await sync_to_async(make)("carol", True, "view_event")
    bob = await sync_to_async(make)("bob", True)
    alice = await sync_to_async(make)("alice", False, "view_event")
    own = (b"origin", b"http://coord.test:8080")
    strange = (b"origin", b"http://evil.test")
    for user, headers, expected in (
        (carol, (own,), True),
        (carol, (strange,), False),
        (bob, (own,), False),
        (alice, (own,), False),
    ):
        async with Socket("/ws/events", headers, user=user) as socket:
            assert socket.accepted is expected, (user, headers)


async def test_it_checks_the_origin_when_no_token_is_asked_for(config):
    config(auth_token=SecretStr(""), allow_insecure_no_auth=True)
    async with Socket("/ws/events", ()) as socket:
        assert socket.accepted
    async with Socket("/ws/events", ((b"origin", b"http://evil.test"),)) as socket:
        assert not socket.accepted


async def test_it_bounds_the_number_of_sockets(monkeypatch):
    monkeypatch.setattr(consumers, "MOST_SOCKETS", 1)
    async with Socket("/ws/events") as first:
        await first.hear()
        async with Socket("/ws/events") as second:
            assert await second.closed() == 1013
    async with Socket("/ws/events") as third:
        assert (await third.hear())["type"] == "ready"


def _claim(api, engineer, session, **fields):
    body = {"engineer": engineer, "session_id": session, "repo": "org/app"}
    return api.post("/claims", {**body, "claims": [{"type": "file", "pattern": "a.py"}], **fields})


async def test_it_tells_how_a_ticket_moves(api):
    code, held = await sync_to_async(_claim)(api, "alice", "s1")
    assert code == 200, held
    code, bobs = await sync_to_async(_claim)(api, "bob", "s2", hold_place_seconds=600)
    assert code == 202, bobs
    code, carols = await sync_to_async(_claim)(api, "carol", "s3", hold_place_seconds=600)
    assert code == 202, carols
    async with Socket(f"/ws/queue/{carols['queue_id']}") as socket:
        first = await socket.hear()
        assert first["type"] == "ticket"
        assert (first["ticket"]["state"], first["ticket"]["position"]) == ("waiting", 2)
        assert first["ticket"]["blocking_engineer"] == "alice"
        await sync_to_async(api.delete)(f"/requests/{bobs['queue_id']}")
        second = await socket.hear()
        assert (second["ticket"]["state"], second["ticket"]["position"]) == ("waiting", 1)
        await sync_to_async(api.post)(
            "/claims/release", {"engineer": "alice", "claim_ids": [held["claims"][0]["id"]]}
        )
        third = await socket.hear()
        assert third["ticket"]["state"] == "offered"
        assert third["offer_until"]
        code, _ = await sync_to_async(api.get)(f"/requests/queue/{carols['queue_id']}")
        assert code == 200
        last = await socket.hear()
        assert last["ticket"]["state"] == "granted"
        assert last["ticket"]["granted_claim_id"]
        assert await socket.closed() == 1000


async def test_it_does_not_know_an_unknown_ticket():
    async with Socket("/ws/queue/0b7f7c1e-5a53-4c59-8f2c-6f5a1f5f2d10") as socket:
        assert (await socket.hear())["code"] == "not_found"
        assert await socket.closed() == 4404
