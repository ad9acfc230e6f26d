"""Parked waiters: long polls that hold neither a thread nor a database connection.

One keeper per process serves all of them together: it says that they are still there, looks after those
whose wake was lost, and settles repositories at the moment something in them ends. So a hundred waiters
cost what one does. It has a thread of its own: a burst of calls must not make connected waiters look gone.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from claims.selectors.due import next_due
from claims.services import ending, waiting
from claims.services.waiting import Look
from common import clock
from common.api import STOPPING, aside, lane
from common.wakeups import FALLBACK_S, Bell, listening
from queueing import selectors
from queueing.models import IN_LINE
from queueing.services import HEARTBEAT_SECONDS

log = logging.getLogger("coord.claims")
T = TypeVar("T")

_LEAST_PAUSE = 0.02


@dataclass(slots=True)
class _Parked:
    repo: str
    bell: Bell
    bound: bool


class _Lot:
    """The waiters of one event loop, and their keeper."""

    def __init__(self) -> None:
        self.parked: dict[str, list[_Parked]] = {}
        self.keeper: asyncio.Task[None] | None = None
        self._said = float("-inf")
        self._due: dict[str, datetime] = {}

    @asynccontextmanager
    async def place(self, ticket_id: str, parked: _Parked) -> AsyncIterator[None]:
        """Be looked after while the block runs."""
        self.parked.setdefault(ticket_id, []).append(parked)
        if self.keeper is None or self.keeper.done():
            loop = asyncio.get_running_loop()
            self.keeper = loop.create_task(self._keep(), context=contextvars.Context())
        try:
            yield
        finally:
            self.parked[ticket_id].remove(parked)
            if not self.parked[ticket_id]:
                del self.parked[ticket_id]
            if not self.parked and self.keeper is not None:
                self.keeper.cancel()
                self.keeper = None

    async def _keep(self) -> None:
        while True:
            try:
                pause = await aside(self._look_after, asyncio.get_running_loop().time())
            except Exception:  # a busy database must not leave the waiters alone
                log.warning("looking after the waiters failed; trying again", exc_info=True)
                pause = FALLBACK_S / 2
            await asyncio.sleep(pause)

    def _look_after(self, moment: float) -> float:
        parked = {ticket_id: list(waiters) for ticket_id, waiters in self.parked.copy().items()}
        if moment - self._said >= HEARTBEAT_SECONDS:
            bound = [ticket_id for ticket_id, waiters in parked.items() if any(w.bound for w in waiters)]
            waiting.still_there(bound, list(parked))
            self._said = moment
        pauses = self._settle({w.repo for ws in parked.values() for w in ws})
        for ticket_id in selectors.not_waiting(parked):
            for waiter in parked[ticket_id]:
                waiter.bell.loop.call_soon_threadsafe(waiter.bell.ring)
        return max(_LEAST_PAUSE, min([FALLBACK_S, *pauses]))

    def _settle(self, repos: set[str]) -> list[float]:
        """Carry out what is due in each repository; the seconds until the next is.

        What was to come when last looked at counts as due once its moment is past: a ticket that got older
        than the boost is not told from one that was served after that.
        """
        next_dues: dict[str, datetime] = {}
        for repo in sorted(repos):
            now = clock.now()
            due = next_due(repo, now)
            if any(moment is not None and moment <= now for moment in (due, self._due.get(repo))):
                ending.settle(repo)
                due = next_due(repo, clock.now())
            if due is not None:
                next_dues[repo] = due
        self._due = next_dues
        return [(due - clock.now()).total_seconds() for due in next_dues.values()]


_lots: dict[asyncio.AbstractEventLoop, _Lot] = {}


def _lot() -> _Lot:
    loop = asyncio.get_running_loop()
    for other in [other for other in _lots if other.is_closed()]:
        del _lots[other]
    return _lots.setdefault(loop, _Lot())


async def wait_for_grant(
    ticket_id: str,
    repo: str,
    seconds: float,
    answer: Callable[[Look], T],
    *,
    abandon: Callable[[], object] | None = None,
) -> T:
    """Wait until the ticket is granted or ends, ``seconds`` at most; picks the grant up and answers.

    With ``abandon`` the place lives with this call: when its time is up it is given up, in the same
    transaction that sees nothing offered, so that nobody hears "no" while holding; when the client
    disconnects ``abandon`` gives back what it has, a grant included that it was never told of. Without,
    the place outlives the call and stays in line in both cases. When the service stops the place is kept
    for whoever sends the same request again.
    """
    loop = asyncio.get_running_loop()
    bound = abandon is not None
    end = loop.time() + seconds
    done = False
    try:
        async with (
            listening(f"ticket:{ticket_id}") as bell,
            _lot().place(ticket_id, _Parked(repo, bell, bound)),
        ):
            while True:
                left = end - loop.time()
                look = functools.partial(_look, ticket_id, bound, left <= 0, answer)
                found: list[T] = await lane(look)
                if found:
                    done = True
                    return found[0]
                await bell.wait(left)
    except asyncio.CancelledError as cancelled:
        if STOPPING in cancelled.args and not done:
            done = True
            await asyncio.shield(lane(waiting.leave, ticket_id))
        raise
    finally:
        if abandon is not None and not done:
            await asyncio.shield(lane(abandon))


def _look(ticket_id: str, bound: bool, last: bool, answer: Callable[[Look], T]) -> list[T]:
    """The answer when the wait is over, else none: in one hop, so that no disconnect comes between."""
    look = waiting.look(ticket_id, final=bound) if last else waiting.look_for_news(ticket_id)
    if look is None:
        return []
    return [answer(look)] if last or look.state not in IN_LINE else []
