"""``ws/dashboard``: who may open it, and what it tells when."""

from __future__ import annotations

import pytest
from actors import Actor
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Permission

from coordsite.dashboard import live
from coordsite.routing import websocket_urlpatterns
from queueing import consumers

pytestmark = pytest.mark.django_db(transaction=True)
HOST = (b"host", b"coord.test:8080")
OWN = (b"origin", b"http://coord.test:8080")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Rounds without pauses; the fallback look stays off, so that only wakes count."""
    monkeypatch.setattr(live, "PAUSE_S", 0.01)
    monkeypatch.setattr(live, "SHARE", 0)
    monkeypatch.setattr(live, "LOOK_S", 60.0)
    monkeypatch.setattr(live, "ROUND_S", 60.0)
    yield
    assert live._feeds == {}


def person(name="olivia", **fields):
    return get_user_model().objects.create_user(name, is_staff=True, is_superuser=True, **fields)


class Socket(WebsocketCommunicator):
    def __init__(self, user, query="", headers=(OWN,)):
        path = f"/ws/dashboard?{query}" if query else "/ws/dashboard"
        super().__init__(URLRouter(websocket_urlpatterns), path, [HOST, *headers])
        self.scope["user"] = user

    async def __aenter__(self):
        self.accepted, self.answer = await self.connect(timeout=10)
        return self

    async def __aexit__(self, *error):
        await self.disconnect(timeout=10)

    async def panels(self):
        message = await self.receive_json_from(timeout=10)
        assert message["type"] == "panels", message
        return message["panels"]

    async def until(self, panel, text):
        """Listen until a panel with this text comes."""
        while True:
            found = (await self.panels()).get(panel)
            if found and text in found["html"]:
                return found


claim = sync_to_async(lambda name, *patterns: Actor(name).hold(*patterns))


async def test_it_tells_all_panels_first_and_then_what_changed():
    user = await sync_to_async(person)()
    async with Socket(user) as socket:
        await socket.send_json_to({"have": {}})
        first = await socket.panels()
        assert {"headline", "claims", "queue", "hotspots"} <= set(first)
        await claim("alice", "src/app.py")
        changed = await socket.panels()
        while "claims" not in changed:
            changed = await socket.panels()
        assert "src/app.py" in changed["claims"]["html"]
        assert "hotspots" not in changed
        assert changed["claims"]["tag"] != first["claims"]["tag"]


async def test_it_leaves_out_what_the_page_has_already():
    user = await sync_to_async(person)()
    async with Socket(user) as socket:
        await socket.send_json_to({"have": {}})
        tags = {name: panel["tag"] for name, panel in (await socket.panels()).items()}
        async with Socket(user) as again:
            await again.send_json_to({"have": tags})
            assert await again.panels() == {}


@pytest.mark.parametrize("hello", ["no json", "[]", '{"have": 3}', '{"have": {"claims": null}}', "x" * 5000])
async def test_it_tells_everything_to_a_page_that_says_nonsense(hello):
    user = await sync_to_async(person)()
    async with Socket(user) as socket:
        await socket.send_to(text_data=hello)
        assert "claims" in await socket.panels()


async def test_it_tells_of_a_refusal_that_writes_no_event():
    user = await sync_to_async(person)()
    await claim("alice", "src/app.py")
    async with Socket(user) as socket:
        await socket.send_json_to({"have": {}})
        await socket.panels()
        await sync_to_async(lambda: Actor("bob").ask("src/app.py"))()
        await socket.until("conflicts", "<b>bob</b> wanted")


async def test_it_draws_once_for_all_who_look_at_the_same(monkeypatch):
    drawn = []
    draw = live.rendering.draw
    monkeypatch.setattr(live.rendering, "draw", lambda *key: drawn.append(1) or draw(*key))
    user = await sync_to_async(person)()
    async with Socket(user) as one, Socket(user) as two:
        for socket in (one, two):
            await socket.send_json_to({"have": {}})
            await socket.panels()
        assert len(live._feeds) == 1
        before = len(drawn)
        await claim("alice", "src/app.py")
        for socket in (one, two):
            await socket.until("claims", "src/app.py")
        assert len(drawn) - before <= 2


async def test_it_follows_the_filter_of_its_address():
    user = await sync_to_async(person)()
    async with Socket(user, "repo=org%2Fapp&q=two") as socket:
        await socket.send_json_to({"have": {}})
        await socket.panels()
        await claim("alice", "src/one.py")
        await claim("bob", "src/two.py")
        found = await socket.until("claims", "src/two.py")
        assert "src/one.py" not in found["html"]


async def test_it_shows_only_panels_that_one_may_see():
    def viewer():
        user = get_user_model().objects.create_user("victor", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_ticket"))
        return user

    async with Socket(await sync_to_async(viewer)()) as socket:
        await socket.send_json_to({"have": {}})
        assert set(await socket.panels()) == {"graph", "queue"}


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        (None, (OWN,)),
        ({"is_staff": False}, (OWN,)),
        ({"is_active": False}, (OWN,)),
        ({}, ()),
        ({}, ((b"origin", b"http://evil.test"),)),
        ({}, ((b"origin", b"http://coord.test:9999"),)),
        (None, ((b"authorization", b"Bearer test-token"), OWN)),
    ],
)
async def test_it_opens_only_to_staff_from_its_own_pages(fields, headers):
    def make():
        if fields is None:
            return AnonymousUser()
        user = person()
        for name, value in fields.items():
            setattr(user, name, value)
        user.save()
        return user

    async with Socket(await sync_to_async(make)(), headers=headers) as socket:
        assert (socket.accepted, socket.answer) == (False, consumers.UNAUTHENTICATED)


async def test_it_closes_when_the_account_is_closed(monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK_S", 0.0)
    user = await sync_to_async(person)()
    async with Socket(user) as socket:
        await socket.send_json_to({"have": {}})
        await socket.panels()
        await get_user_model().objects.aupdate(is_active=False)
        await claim("alice", "src/app.py")
        while True:
            output = await socket.receive_output(timeout=10)
            if output["type"] == "websocket.close":
                break
        assert output["code"] == consumers.UNAUTHENTICATED
