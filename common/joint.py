"""Reads that many make at the same moment, made once.

A wake reaches everybody who waits for it at once, and all then ask the database the same. Whoever asks
before such a read has begun gets its answer: it shows all that was there when it was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from common.api import lane

T = TypeVar("T")

_next: dict[tuple[asyncio.AbstractEventLoop, Hashable], asyncio.Task[Any]] = {}
"""The reads that have not begun."""


async def joint(key: Hashable, read: Callable[[], T]) -> T:
    """What ``read`` returns or raises, on the API lane, begun after this call; one call for all of a ``key``.

    So ``key`` says all that the answer depends on. Cancelled, the others still get theirs.
    """
    loop = asyncio.get_running_loop()
    place = (loop, key)
    task = _next.get(place)
    if task is None:

        def begin() -> T:
            _next.pop(place, None)
            return read()

        task = _next[place] = loop.create_task(lane(begin))
        task.add_done_callback(lambda ended: _forget(place, ended))
    answer: T = await asyncio.shield(task)
    return answer


def _forget(place: tuple[asyncio.AbstractEventLoop, Hashable], ended: asyncio.Task[Any]) -> None:
    """Tidy up after a read that never began, or whose askers have all left."""
    if _next.get(place) is ended:
        del _next[place]
    if not ended.cancelled():
        ended.exception()
