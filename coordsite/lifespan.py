"""What a web process does when it begins to serve, whichever ASGI server runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from coordsite import ticker
from coordsite.pool import use_pool

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def begin() -> None:
    """Pool the database's connections and start the ticker. Once per process, on a synchronous thread."""
    use_pool()
    ticker.start()


async def lifespan(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """The lifespan protocol, for servers that speak it; daphne's side calls :func:`begin` itself."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await asyncio.to_thread(begin)
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
