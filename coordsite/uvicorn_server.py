"""Serving with uvicorn instead of daphne (``COORD_ASGI_SERVER=uvicorn``)."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from coordsite.server import BACKLOG, GRACE_S


class _Server(uvicorn.Server):
    """uvicorn that says when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, listen, tell."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


def serve(application: Any, host: str, port: int, ready: Callable[[], None]) -> int:
    """Listen and serve until told to stop; the exit code. The application's lifespan begins and ends it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        print(f"coord: cannot listen on {host} port {port}: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        application,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=int(GRACE_S),
    )
    with door:
        _Server(config, ready).run(sockets=[door])
    return 0
