"""The panels as they change: drawn once per process for everybody who looks at the same thing.

A feed draws when something happened (at most about four times a second) and every few seconds anyway, because
time alone changes what is live. Whoever follows it is woken after each round, changed or not: that is how
a page knows that it is not stale.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.filters import Filter
from common.wakeups import EVENTS, REFUSALS, Bell, listening
from coordsite import lanes
from coordsite.dashboard import rendering
from coordsite.dashboard.rendering import COUNTED, Drawing, Drawn

log = logging.getLogger("coord.dashboard")

PAUSE_S = 0.25
"""The shortest time between two drawings."""
ROUND_S = 5.0
"""The longest time between two drawings of a quick service."""
LOOK_S = 0.5
"""How often a feed looks for what other processes did without a wake."""
SHARE = 4
ROUND_SHARE = 20
"""After a second of drawing, the next pause is at least four, and the next round twenty."""

Key = tuple[Filter, frozenset[str]]


class Feed:
    """One filter and set of permissions, drawn while somebody follows."""

    def __init__(self, key: Key) -> None:
        self.seen, self.permissions = key
        self.drawn: tuple[Drawn, ...] = ()
        self.round = 0
        self.followers: set[asyncio.Event] = set()
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Draw until cancelled. A failed drawing is logged and tried again."""
        loop = asyncio.get_running_loop()
        async with listening(EVENTS, REFUSALS, COUNTED) as bell:
            while True:
                seen: tuple[int, int] | None = None
                spent = 0.0
                try:
                    drawing, spent = await lanes.beside(self._draw)
                    seen, self.drawn = drawing.beat, drawing.panels
                    self.round += 1
                    for follower in self.followers:
                        follower.set()
                except Exception:
                    log.exception("the dashboard could not be drawn")
                await asyncio.sleep(max(PAUSE_S, spent * SHARE))
                await self._next_cause(bell, seen, loop.time() + max(ROUND_S, spent * ROUND_SHARE))

    def _draw(self) -> tuple[Drawing, float]:
        """A new drawing, and the processor time of it: that the machine is busy is no reason to wait."""
        began = time.thread_time()
        drawing = rendering.draw(self.seen, self.permissions)
        return drawing, time.thread_time() - began

    async def _next_cause(self, bell: Bell, seen: tuple[int, int] | None, end: float) -> None:
        loop = asyncio.get_running_loop()
        while (left := end - loop.time()) > 0:
            if await bell.wait(min(LOOK_S, left)):
                return
            try:
                if await lanes.beside(rendering.pulse) != seen:
                    return
            except Exception:
                log.warning("the dashboard cannot look", exc_info=True)


_feeds: dict[Key, Feed] = {}


@asynccontextmanager
async def following(key: Key) -> AsyncIterator[tuple[Feed, asyncio.Event]]:
    """Follow a feed while the block runs: the event is set after each round."""
    feed = _feeds.get(key)
    if feed is None:
        feed = _feeds[key] = Feed(key)
        feed.task = asyncio.create_task(feed.run())
    news = asyncio.Event()
    if feed.round:
        news.set()
    feed.followers.add(news)
    try:
        yield feed, news
    finally:
        feed.followers.discard(news)
        if not feed.followers and _feeds.get(key) is feed:
            del _feeds[key]
            if feed.task is not None:
                feed.task.cancel()
                await asyncio.wait([feed.task])
