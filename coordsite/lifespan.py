"""What a web process does when it begins to serve, whichever ASGI server runs it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from coordsite import ticker, warming
from coordsite.lanes import lanes
from coordsite.pool import use_pool

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def begin() -> None:
    """Pool the database's connections, start the ticker, and soon draw a first page. Once per process, on a
    synchronous thread.
    """
    use_pool()
    ticker.start()
    warming.start()


def send_waiters_home_when_told_to_stop() -> None:
    """On SIGTERM and SIGINT parked waiters are answered at once; then the server's own handler goes on.

    Servers that speak the lifespan protocol tell of the end only after every request has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        handler = signal.getsignal(number)

        def stop(given: int, frame: Any, handler: Any = handler) -> None:
            loop.call_soon_threadsafe(lanes().stop)
            if callable(handler):
                handler(given, frame)

        signal.signal(number, stop)


async def lifespan(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """The lifespan protocol, for servers that speak it; daphne's side calls :func:`begin` itself."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await asyncio.to_thread(begin)
            send_waiters_home_when_told_to_stop()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
