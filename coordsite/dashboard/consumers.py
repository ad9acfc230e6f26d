"""``ws/dashboard``: the panels that changed, to a page of this site with a signed-in member of staff."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth import get_user_model

from common import clock
from common.caller import Caller
from coordsite.dashboard import addressing, live, rendering
from queueing.consumers import Unproved, Watch
from queueing.sockets import is_same_origin

MOST_HELLO = 4096
HELLO_S = 10.0


class DashboardConsumer(Watch):
    """Tells a page what to swap.

    The page says first which panels it has (``{"have": {name: tag}}``); then it hears
    ``{"type": "panels", "at": …, "panels": {name: {"tag": …, "html": …}}}`` after every round, with the
    panels that differ, often none: silence longer than a round means that the page is stale. The filter is
    in the query, as in the page's own address. No token opens this socket: only a session does, from a
    page of this origin.
    """

    permissions: frozenset[str] = frozenset()

    async def connect(self) -> None:
        """As every socket; what the page has comes as its first message."""
        self.hello: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        await super().connect()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The page's first message; later ones mean nothing."""
        if not self.hello.done():
            self.hello.set_result(_tags(text_data or ""))

    async def tell(self) -> None:
        """Follow the feed of this filter and these permissions."""
        query = dict(parse_qsl(self.scope["query_string"].decode("latin-1")))
        permissions = self.permissions
        try:
            async with asyncio.timeout(HELLO_S):
                has = await self.hello
        except TimeoutError:
            has = {}
        async with live.following((addressing.read(query), permissions)) as (feed, news):
            while True:
                await news.wait()
                news.clear()
                changed = {
                    drawn.panel.name: {"tag": drawn.tag, "html": drawn.html}
                    for drawn in feed.drawn
                    if has.get(drawn.panel.name) != drawn.tag
                }
                has |= {name: panel["tag"] for name, panel in changed.items()}
                await self.say("panels", at=clock.iso(clock.now()), panels=changed)
                await self.prove_again()
                if self.permissions != permissions:
                    raise Unproved("The permissions have changed", next="reload the page")

    def find_caller(self) -> Caller | None:
        """The signed-in member of staff; what they may see is in ``permissions``."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not is_same_origin(self.scope, required=True):
            return None
        person: Any = get_user_model().objects.filter(pk=user.pk, is_active=True, is_staff=True).first()
        if person is None:
            return None
        self.permissions = rendering.permissions_of(person)
        return Caller(kind="admin", name=person.get_username(), operator=True)


def _tags(text: str) -> dict[str, str]:
    """What the page says it has; nothing when that cannot be read."""
    if len(text) > MOST_HELLO:
        return {}
    try:
        has = json.loads(text)["have"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(tag) for name, tag in has.items()} if isinstance(has, dict) else {}
