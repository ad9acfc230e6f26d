"""One bridge over stdin and stdout: started, kept alive, and cleaned up after however it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

import anyio
from anyio.abc import TaskGroup
from mcp.server.stdio import stdio_server

from coordsite.bridge.bridge import Bridge, Pace
from coordsite.bridge.environment import Environment, warn
from coordsite.bridge.heartbeat import beat
from coordsite.bridge.main import version
from coordsite.bridge.marker import Marker
from coordsite.bridge.notices import Notices
from coordsite.bridge.server import Context, build_server
from coordsite.bridge.service import Retry, Service, number
from coordsite.bridge.source import LocalSource


def serve(session_id: str) -> None:
    """Run until the client is gone (returns) or a signal arrives (ends the process, cleaned up)."""
    marker = Marker(os.getcwd(), session_id)
    marker.enter()
    ended: int | None = None
    try:
        ended = anyio.run(_serve, build_bridge(session_id, os.environ, os.getcwd()), marker)
    finally:
        marker.leave()
    if ended is not None:
        raise SystemExit(128 + ended)


def build_bridge(session_id: str, environ: Mapping[str, str], cwd: str) -> Bridge:
    """The bridge as the environment wants it."""
    environment = Environment(environ, cwd)
    notices = Notices()
    service = Service(environment.settings, session_id, notices, Retry.from_environ(environ, warn))
    slice_ = int(number(environ, "COORD_WAIT_SLICE_SEC", 25, (1, 55), warn))
    poll = number(environ, "COORD_POLL_SEC", 1, (0, 60), warn)
    source = LocalSource(environment.settings, cwd, environ)
    return Bridge(service, notices, source, Pace(slice=slice_, poll=poll))


async def _serve(bridge: Bridge, marker: Marker) -> int | None:
    every = number(os.environ, "COORD_HEARTBEAT_SEC", 60, (0, 86_400), warn)

    async def own(_context: Context) -> Bridge:
        return bridge

    server = build_server(own, version=version())
    signals: list[int] = []
    async with stdio_server() as (read, write):
        async with anyio.create_task_group() as group:
            if os.name != "nt":  # its event loop takes no signals; ending the process is all there is
                group.start_soon(_stop_on_signal, group, signals)
            if every > 0:
                group.start_soon(beat, bridge, every)
            await server.run(read, write, server.create_initialization_options())
            group.cancel_scope.cancel()
        with anyio.move_on_after(2, shield=True):
            await bridge.service.close()
        if signals:
            # The thread that reads stdin cannot be interrupted, so the process leaves without it.
            marker.leave()
            sys.stdout.flush()
            os._exit(128 + signals[0])
    return None


async def _stop_on_signal(group: TaskGroup, signals: list[int]) -> None:
    """End everything on SIGTERM, SIGINT or SIGHUP; calls under way give up what they wait for first."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as received:
        async for number_ in received:
            signals.append(int(number_))
            group.cancel_scope.cancel()
            return
