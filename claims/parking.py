"""Parked waiters: long polls that hold neither a thread nor a database connection.

One keeper per process serves all of them together: it says that they are still there, looks after those
whose wake was lost, and settles repositories at the moment a lease in them ends. So a hundred waiters
cost what one does.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from claims.selectors.listing import next_due
from claims.services import ending, waiting
from claims.services.waiting import Look
from common import clock
from common.api import lane
from common.wakeups import FALLBACK_S, Bell, listening
from queueing import selectors
from queueing.models import IN_LINE

_LEAST_PAUSE = 0.02


@dataclass(slots=True)
class _Parked:
    repo: str
    bell: Bell
    bound: bool


class _Lot:
    """The waiters of one event loop, and their keeper."""

    def __init__(self) -> None:
        self.parked: dict[str, _Parked] = {}
        self.keeper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def place(self, ticket_id: str, parked: _Parked) -> AsyncIterator[None]:
        """Be looked after while the block runs."""
        self.parked[ticket_id] = parked
        if self.keeper is None or self.keeper.done():
            loop = asyncio.get_running_loop()
            self.keeper = loop.create_task(self._keep(), context=contextvars.Context())
        try:
            yield
        finally:
            if self.parked.get(ticket_id) is parked:
                del self.parked[ticket_id]
            if not self.parked and self.keeper is not None:
                self.keeper.cancel()
                self.keeper = None

    async def _keep(self) -> None:
        while True:
            pause = await lane(self._look_after)
            await asyncio.sleep(pause)

    def _look_after(self) -> float:
        parked = dict(self.parked)
        bound = [ticket_id for ticket_id, waiter in parked.items() if waiter.bound]
        if bound:
            waiting.still_there(bound)
        repos = {waiter.repo for waiter in parked.values()}
        due = next_due(repos)
        if due is not None and due <= clock.now():
            for repo in sorted(repos):
                ending.settle(repo)
            due = next_due(repos)
        states = selectors.states(parked)
        for ticket_id, waiter in parked.items():
            if states.get(ticket_id) != "waiting":
                waiter.bell.loop.call_soon_threadsafe(waiter.bell.ring)
        if due is None:
            return FALLBACK_S
        return min(FALLBACK_S, max(_LEAST_PAUSE, (due - clock.now()).total_seconds()))


_lots: dict[asyncio.AbstractEventLoop, _Lot] = {}


def _lot() -> _Lot:
    loop = asyncio.get_running_loop()
    for other in [other for other in _lots if other.is_closed()]:
        del _lots[other]
    return _lots.setdefault(loop, _Lot())


async def wait_for_grant(ticket_id: str, repo: str, seconds: float, *, bound: bool) -> Look:
    """Wait until the ticket is granted or ends, ``seconds`` at most; picks the grant up.

    ``bound``: the place lives with this call. When its time is up it is given up, in the same
    transaction that sees nothing offered, so that nobody hears "no" while holding. When the client
    disconnects the place is given up too. A place that outlives the call stays in line in both cases.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    done = False
    try:
        async with (
            listening(f"ticket:{ticket_id}") as bell,
            _lot().place(ticket_id, _Parked(repo, bell, bound)),
        ):
            while True:
                left = end - loop.time()
                look = await lane(waiting.look, ticket_id, final=bound and left <= 0)
                if look.state not in IN_LINE or left <= 0:
                    done = True
                    return look
                await bell.wait(left)
    finally:
        if bound and not done:
            await asyncio.shield(lane(waiting.cancel, ticket_id, reason="disconnected"))
