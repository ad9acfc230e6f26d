"""The MCP tools inside the service: the bridge's own, asking the API in this process with the caller's token.

So a caller can do no more here than with the API: engineer, repositories and role are checked there, once.
Imports the SDK; imported on the first MCP request, never at start.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import anyio
import httpx
from django.conf import settings
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST, SubscriptionsListenRequestParams, SubscriptionsListenResult

from coordsite.bridge import heartbeat
from coordsite.bridge.bridge import Bridge
from coordsite.bridge.environment import Settings
from coordsite.bridge.main import version
from coordsite.bridge.notices import Notices
from coordsite.bridge.server import Context, build_server
from coordsite.bridge.service import Retry, Service
from coordsite.checkouts import ServiceSource
from coordsite.gate import MOST_BODY
from coordsite.streamable import Entrant

MOST_BRIDGES = 1000
BEAT_S = 20.0
"""Shortest time between two signs of life that tool calls of one session give."""
STAY_S = 60.0
"""Longest time between two signs of life of an open stream."""
PARSERS = 2
"""Files that are parsed at a time."""

Application = Callable[[Any, Any, Any], Awaitable[None]]
NO_IDENTITY = (
    "This connection does not say who it is. Send the header X-Coord-Session (an id of your own, one per "
    "agent), or X-Coord-Engineer with the shared token, or use a personal token."
)


class Bridges:
    """The bridges of recent callers: what each was told already is remembered while it keeps coming."""

    def __init__(self, api: Application) -> None:
        self._api = api
        self._parsers = anyio.CapacityLimiter(PARSERS)
        self._known: OrderedDict[tuple[str, ...], Bridge] = OrderedDict()
        self._beaten: dict[tuple[str, ...], float] = {}

    async def bridge_of(self, context: Context) -> Bridge:
        """The bridge of a request's caller, who thereby gives a sign of life."""
        request: Any = context.request
        return await self.of(request.scope["state"]["entrant"])

    async def of(self, entrant: Entrant) -> Bridge:
        """The bridge of one who came in, with a sign of life unless there was one just before."""
        session = session_of(entrant)
        key = (session, entrant.token or "", entrant.repo or "", entrant.engineer or "", entrant.base_url)
        bridge = self._known.pop(key, None) or self._build(entrant, session)
        self._known[key] = bridge
        bridge.source = ServiceSource(entrant.caller, entrant.repo)
        while len(self._known) > MOST_BRIDGES:
            oldest, _ = self._known.popitem(last=False)
            self._beaten.pop(oldest, None)
        now = bridge.monotonic()
        if now - self._beaten.get(key, -BEAT_S) >= BEAT_S:
            self._beaten[key] = now
            await heartbeat.once(bridge)
        return bridge

    def _build(self, entrant: Entrant, session: str) -> Bridge:
        own = Settings(
            api_url=entrant.base_url,
            token=entrant.token,
            repo_id=entrant.repo,
            requester=entrant.caller.bound_engineer or entrant.engineer or entrant.caller.engineer,
        )
        notices = Notices()
        transport = httpx.ASGITransport(app=self._api)
        service = Service(lambda: own, session, notices, Retry(attempts=1), transport=transport)
        return Bridge(service, notices, parsers=self._parsers)

    async def stay(self, entrant: Entrant) -> None:
        """Give signs of life for as long as the caller's stream is open: until cancelled."""
        await heartbeat.beat(await self.of(entrant), beat_s())


class Listening:
    """``subscriptions/listen``: nothing here ever changes, but an open stream says that its client lives."""

    def __init__(self, bridges: Bridges) -> None:
        self._bridges = bridges
        self._handler = ListenHandler(InMemorySubscriptionBus(), max_subscriptions=MOST_BRIDGES)

    async def __call__(
        self, context: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream."""
        request: Any = context.request
        async with anyio.create_task_group() as group:
            group.start_soon(self._bridges.stay, request.scope["state"]["entrant"])
            result = await self._handler(context, params)
            group.cancel_scope.cancel()
        return result


def beat_s() -> float:
    """Seconds between the signs of life of an open stream: some within the idle time."""
    idle = settings.COORD.idle_timeout_sec
    return min(STAY_S, idle / 3) if idle else STAY_S


def session_of(entrant: Entrant) -> str:
    """The session that a caller claims for: as it says, else one per engineer.

    Raises :class:`MCPError` when nothing tells callers of one token apart.
    """
    if entrant.session:
        return entrant.session
    engineer = entrant.caller.engineer or entrant.engineer
    if not engineer:
        raise MCPError(code=INVALID_REQUEST, message=NO_IDENTITY)
    return f"mcp-{hashlib.sha256(engineer.encode()).hexdigest()[:16]}"


class Tools(NamedTuple):
    """The tools of one event loop: the ASGI application to call, and what an open stream does."""

    application: Application
    stay: Callable[[Entrant], Awaitable[None]]


async def open_tools(api: Application) -> Tools:
    """Start serving the tools on this event loop, for as long as it runs."""
    bridges = Bridges(api)
    manager = StreamableHTTPSessionManager(
        build_server(bridges.bridge_of, version=version(), listen=Listening(bridges)),
        stateless=True,
        max_request_body_size=MOST_BODY,
    )
    started = asyncio.Event()
    task = asyncio.get_running_loop().create_task(_run(manager, started), name="mcp")
    waiting = asyncio.ensure_future(started.wait())
    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        task.result()

    async def application(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if task.done():
            raise RuntimeError("the MCP session manager has ended")
        await manager.handle_request(dict(scope), receive, send)

    return Tools(application, bridges.stay)


async def _run(manager: StreamableHTTPSessionManager, started: asyncio.Event) -> None:
    async with manager.run():
        started.set()
        await asyncio.Event().wait()
