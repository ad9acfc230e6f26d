"""The door of MCP over streamable HTTP: who may enter, and an orderly end. Behind it: `coordsite.tooling`.

Every request stands alone (nothing is kept that a replica or a restart would miss); the SDK is imported with
the first one, off the event loop. A client that opens a connection in the older protocol era is given an id,
which it repeats: it becomes the session of its claims. The stream that such a client holds open with GET
carries nothing; while it is open the session is alive.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, HttpResponseBase
from django.urls import ResolverMatch

from common.api import lane
from common.caller import Caller
from common.errors import ErrorCode
from coordsite import gate
from coordsite.authentication import authenticate
from coordsite.exceptions import handle

log = logging.getLogger("coord.mcp")

PATH = "/mcp"
MOST_STREAMS = 1000
COMMENT_S = 15.0
SESSION = b"mcp-session-id"
VERSION = b"mcp-protocol-version"
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,195}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class Entrant(NamedTuple):
    """Who came in, and what the request says of it: enough to call the API in its place."""

    caller: Caller
    base_url: str
    token: str | None
    session: str | None
    engineer: str | None
    repo: str | None


def is_mcp(path: str) -> bool:
    """Whether a path is this door's."""
    return path.rstrip("/") == PATH


class McpDoor:
    """An ASGI application that admits, then hands over to the tools. ``api`` is what the tools ask."""

    def __init__(self, api: Application, lanes: Any) -> None:
        self._api = api
        self._lanes = lanes
        self._tools: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Lock | None = None
        self._streams = 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        async with self._lanes().request():
            request: Any = ASGIRequest({**scope, "path": PATH}, BytesIO())
            request.resolver_match = ResolverMatch(self, (), {}, route="mcp")
            refusal: Any = gate.enter(request) or await lane(admit, request)
            if isinstance(refusal, Entrant):
                serve = self._stay if request.method == "GET" else self._serve
                await serve(request, refusal, scope, receive, send)
            else:
                await _answer(gate.leave(request, refusal), send)

    async def _serve(self, request: Any, entrant: Entrant, scope: Any, receive: Receive, send: Send) -> None:
        """Let the tools answer; a service that stops ends the answer instead of waiting for it."""
        out = _Outgoing(request, send, _new_session(scope))
        try:
            tools = await self._open()
            state = {**scope.get("state", {}), "entrant": entrant}
            scope = {**scope, "path": PATH, "state": state}
            work = asyncio.ensure_future(tools.application(scope, receive, out))
            await self._until_stopped(work)
        except Exception:
            log.exception("MCP request failed")
            await out.fail(gate.problem(500, "Internal Server Error", ErrorCode.INTERNAL, retryable=True))
        else:
            await out.fail(
                gate.problem(
                    503, "The service is stopping", ErrorCode.UNAVAILABLE, retryable=True, retry_after_s=2
                )
            )
        gate.leave(request, HttpResponse(status=out.status))

    async def _stay(self, request: Any, entrant: Entrant, scope: Any, receive: Receive, send: Send) -> None:
        """Hold the stream of a client that listens: while it is open, its session lives."""
        if self._streams >= MOST_STREAMS:
            busy = gate.problem(
                503, "Too many open streams", ErrorCode.UNAVAILABLE, retryable=True, retry_after_s=30
            )
            await _answer(gate.leave(request, busy), send)
            return
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache, no-transform")]
        headers.append((b"x-request-id", request.request_id.encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self._streams += 1
        parts = [_comments(send), _left(receive), self._signs_of_life(entrant)]
        try:
            await self._until_stopped(asyncio.ensure_future(_first_of(parts)))
        finally:
            self._streams -= 1
        with suppress(Exception):  # it may have left
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        gate.leave(request, HttpResponse(status=200))

    async def _signs_of_life(self, entrant: Entrant) -> None:
        tools = await self._open()
        await tools.stay(entrant)

    async def _until_stopped(self, work: asyncio.Future[None]) -> None:
        going = asyncio.ensure_future(self._lanes().stopped())
        try:
            await asyncio.wait((work, going), return_when=asyncio.FIRST_COMPLETED)
        finally:
            going.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
        if not work.cancelled():
            work.result()

    async def _open(self) -> Any:
        """The tools of this event loop, made on the first request."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._opening, self._tools = loop, asyncio.Lock(), None
        if self._tools is None and self._opening is not None:
            async with self._opening:
                if self._tools is None:
                    module = await asyncio.to_thread(import_module, "coordsite.tooling")
                    self._tools = await module.open_tools(self._api)
        return self._tools


async def _comments(send: Send) -> None:
    """Keep a stream open: proxies and a vanished client are noticed when something is sent."""
    while True:
        await send({"type": "http.response.body", "body": b": coord\n\n", "more_body": True})
        await asyncio.sleep(COMMENT_S)


async def _left(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def _first_of(parts: list[Coroutine[Any, Any, None]]) -> None:
    """Run side by side until one ends; the others are cancelled."""
    running = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class _Outgoing:
    """The answer on its way out: marked with the request's id, and with a new session where one begins."""

    def __init__(self, request: Any, send: Send, session: str | None) -> None:
        self._send = send
        self._headers = [(b"x-request-id", request.request_id.encode())]
        if session is not None:
            self._headers.append((SESSION, session.encode()))
        self.status = 0
        self.ended = False

    async def __call__(self, message: Mapping[str, Any]) -> None:
        """Send on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self._send(message)

    async def fail(self, response: HttpResponseBase) -> None:
        """End an answer that was not ended: with this one, or where it had begun, there."""
        if not self.status:
            await _answer(response, self)
        elif not self.ended:
            await self({"type": "http.response.body", "body": b"", "more_body": False})


def admit(request: Any) -> Entrant | HttpResponseBase:
    """The one who enters, or why not: method, host, origin, token."""
    streams = "text/event-stream" in request.headers.get("Accept", "")
    if request.method != "POST" and not (request.method == "GET" and streams):
        refusal = gate.problem(
            405,
            "Method Not Allowed",
            ErrorCode.METHOD_NOT_ALLOWED,
            next="POST JSON-RPC messages; GET takes Accept: text/event-stream.",
        )
        refusal["Allow"] = "GET, POST"
        return refusal
    try:
        host = request.get_host()
    except DisallowedHost:
        return gate.problem(
            400, "Bad Request", ErrorCode.INVALID, next="Check the Host header and COORD_ALLOWED_HOSTS."
        )
    if not origin_allowed(request.headers.get("Origin", ""), host):
        return gate.problem(
            403,
            "This origin may not call",
            ErrorCode.FORBIDDEN,
            next="Add the origin to COORD_MCP_ALLOWED_ORIGINS.",
        )
    try:
        caller = authenticate(request)
    except Exception as error:
        refused = handle(error, {})
        if refused is None:
            raise
        answer = gate.compact(refused.data, refused.status_code)
        if refused.status_code == 401:
            answer["WWW-Authenticate"] = "Bearer"
        return answer
    if caller.session_id and not _SESSION_ID.fullmatch(caller.session_id):
        return gate.problem(
            400,
            "X-Coord-Session may hold letters, digits and . _ : @ + - (196 at most)",
            ErrorCode.INVALID,
            next="Choose another session id.",
        )
    entrant = _entrant(request, caller, host)
    if request.method == "GET" and not entrant.session:
        return gate.problem(
            400,
            "A stream belongs to a session",
            ErrorCode.INVALID,
            next="Send X-Coord-Session or Mcp-Session-Id.",
        )
    return entrant


def origin_allowed(origin: str, host: str) -> bool:
    """Whether a browser's page of this origin may call: this machine's, our own host's, or a configured one.

    Our own host counts only where COORD_ALLOWED_HOSTS says what it is called; else any page whose name
    was made to point here would be ours.
    """
    if not origin:
        return True
    configured = [one.strip().rstrip("/") for one in settings.COORD.mcp_allowed_origins.split(",")]
    if origin.rstrip("/") in filter(None, configured):
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    return name in _LOOPBACK or (settings.ALLOWED_HOSTS != ["*"] and parts.netloc.lower() == host.lower())


def _entrant(request: Any, caller: Caller, host: str) -> Entrant:
    opened = request.headers.get("Mcp-Session-Id", "")
    session = caller.session_id or (f"mcp-{opened}" if _SESSION_ID.fullmatch(opened) else None)
    repo = request.headers.get("X-Coord-Repo", "") or request.GET.get("repo", "")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return Entrant(
        caller=caller,
        base_url=f"{request.scheme}://{host}",
        token=token.strip() or None if scheme == "Bearer" else None,
        session=session,
        engineer=request.headers.get("X-Coord-Engineer", "").strip()[:200] or None,
        repo=repo.strip()[:250] or None,
    )


def _new_session(scope: Any) -> str | None:
    """An id for a client that has none and may be opening a connection of the older era."""
    names = {name.lower() for name, _ in scope["headers"]}
    return None if SESSION in names or VERSION in names else uuid.uuid4().hex


async def _answer(response: Any, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
