"""Lanes: the persistent threads that requests run on, and the handlers that put them there.

Django's own ASGI handler gives each request a thread of its own, which dies with it together with its
database connection, and hops to it once per middleware. Here the API has one thread on SQLite (writers
would only wait for each other) and several on PostgreSQL, each with a connection that lives as long as
it; a request costs one hop. The browser's part and light work have threads of their own, so that none
starves another. A parked poll holds no thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import io
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from asgiref.sync import SyncToAsync, iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.handlers.exception import response_for_exception
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver, set_script_prefix
from rest_framework.response import Response

from common.api import STOPPING, lane, use_lane
from common.errors import CoordError, ErrorCode
from coordsite import gate
from coordsite.exceptions import not_found
from coordsite.streamable import McpDoor, is_mcp

T = TypeVar("T")
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

POSTGRES_THREADS = 8
SITE_THREADS = 4
SPOOL = 512 * 1024
"""Bodies larger than this many bytes wait in a temporary file."""
_NO_BODY = (204, 304)


class Stopping(CoordError):
    """The service is going down; the client may come back at once, to whoever answers then."""

    status = 503
    code = ErrorCode.UNAVAILABLE
    retryable = True


def stopping() -> Stopping:
    """The refusal that waiters hear when the service stops; their places are kept a short while."""
    return Stopping(
        "The service is stopping; a place in line is kept for 30 s.",
        retry_after_s=2,
        next="Send the same request again: it takes up its place in line.",
    )


def tidy_connections() -> None:
    """Drop this thread's database connection when it broke; give a pooled one back; any other stays."""
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()


class Lanes:
    """The process's threads, and what is under way on them. Belongs to one event loop."""

    def __init__(self, api_threads: int) -> None:
        self.api = ThreadPoolExecutor(api_threads, thread_name_prefix="api")
        self.site = ThreadPoolExecutor(SITE_THREADS, thread_name_prefix="site")
        self.light = ThreadPoolExecutor(1, thread_name_prefix="light")
        self.upkeep = ThreadPoolExecutor(1, thread_name_prefix="upkeep")
        # What nobody assigned to a lane (websocket consumers) runs here instead of on a stray thread.
        self.orphans = ThreadPoolExecutor(1, thread_name_prefix="orphans")
        self.under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether the service no longer takes requests."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Take no more requests and send parked waiters home. On the event loop."""
        self._stopping.set()

    async def stopped(self) -> None:
        """Wait until the service begins to stop."""
        await self._stopping.wait()

    async def idle(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Count a request as under way while the block runs."""
        self.under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.under_way -= 1
            if not self.under_way:
                self._idle.set()

    async def park(self, receive: Receive, resume: Callable[[], Awaitable[Response]]) -> Response:
        """Await a parked continuation until it ends, the client disconnects, or the service stops.

        In the latter two cases it is cancelled and its clean-up awaited; an answer that it had reached by
        then still counts. Raises ``RequestAborted`` for a client that is gone.
        """
        if self.is_stopping:
            raise stopping()
        waiting = asyncio.ensure_future(resume())
        gone = asyncio.ensure_future(_disconnected(receive))
        going = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((waiting, gone, going), return_when=asyncio.FIRST_COMPLETED)
        finally:
            left = gone.done() and not gone.cancelled()
            gone.cancel()
            going.cancel()
            if not waiting.done():
                waiting.cancel(STOPPING if self._stopping.is_set() and not left else None)
                await asyncio.wait((waiting,))
        if not waiting.cancelled():
            return waiting.result()
        if left:
            raise RequestAborted
        raise stopping()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


_lanes: Lanes | None = None


def lanes() -> Lanes:
    """The serving process's lanes, made on the first request; the API's ``lane`` uses them from then on."""
    global _lanes
    if _lanes is None:
        postgres = connections["default"].vendor == "postgresql"
        _lanes = Lanes(POSTGRES_THREADS if postgres else 1)
        use_lane(_lanes.api, tidy_connections, _lanes.upkeep)
        SyncToAsync.single_thread_executor = _lanes.orphans
    return _lanes


async def on(executor: Executor, function: Callable[..., T], *args: Any) -> T:
    """Run a synchronous function on a lane, with a healthy connection and the caller's context."""
    call = functools.partial(contextvars.copy_context().run, _tidied, function, *args)
    return await asyncio.get_running_loop().run_in_executor(executor, call)


async def read(function: Callable[..., T], *args: Any) -> T:
    """Run a short read on the light lane, so that it answers even while the API is busy.

    Outside a serving process (test clients) it runs on the surrounding synchronous thread.
    """
    if _lanes is None:
        return await sync_to_async(function, thread_sensitive=True)(*args)
    return await on(_lanes.light, function, *args)


async def beside(function: Callable[..., T], *args: Any) -> T:
    """Run a longer read on the site's lane, so that the API does not wait for it.

    Outside a serving process as :func:`read`.
    """
    if _lanes is None:
        return await sync_to_async(function, thread_sensitive=True)(*args)
    return await on(_lanes.site, function, *args)


def serving() -> bool:
    """Whether this process serves requests on its lanes."""
    return _lanes is not None


def _tidied(function: Callable[..., T], *args: Any) -> T:
    tidy_connections()
    try:
        return function(*args)
    finally:
        tidy_connections()


class TooLarge(Exception):
    """The body passed its limit while it streamed in."""


class _Handler(ASGIHandler):
    """What both handlers share: bounded bodies, and no tasks, signals or hops per request."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one HTTP request on the task it came on."""
        async with lanes().request():
            await self.handle(scope, receive, send)

    async def handle(self, scope: Any, receive: Receive, send: Send) -> None:
        """Read, answer, send. A client that goes away meanwhile is no error."""
        set_script_prefix(get_script_prefix(scope))
        body = _place_for_body(scope["headers"])
        with body, suppress(RequestAborted):
            fits = await _read(receive, body, gate.body_limit(scope["path"]))
            made: tuple[Any, Any] = self.create_request(scope, body)
            request, refusal = made
            if request is None:
                await self.send_response(refusal, send)
                return
            response: Any = gate.enter(request)
            if response is None and not fits:
                response = gate.too_large(request.path_info)
            if response is None:
                request.park = functools.partial(lanes().park, receive)
                response = await self.answer(request)
            if not response.streaming and response.status_code not in _NO_BODY:
                response["Content-Length"] = str(len(response.content))
            await self.send_response(gate.leave(request, response), send)

    async def answer(self, request: Any) -> HttpResponseBase:
        """The response, rendered."""
        raise NotImplementedError


def _place_for_body(headers: Any) -> Any:
    """Where a body is put: in memory when it says that it is small."""
    for name, value in headers:
        if name == b"content-length" and len(value) < 7 and value.isdigit() and int(value) <= SPOOL:
            return io.BytesIO()
    return tempfile.SpooledTemporaryFile(max_size=SPOOL)


async def _read(receive: Receive, body: Any, limit: int) -> bool:
    """Store a body of at most ``limit`` bytes; whether it fits. What is over is read and dropped."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            body.write(chunk)
        if not message.get("more_body", False):
            body.seek(0)
            return size <= limit


class ApiHandler(_Handler):
    """The API: no middleware besides the gate, one hop to its lane."""

    def load_middleware(self, is_async: bool = False) -> None:
        """None: the gate is called by :meth:`handle`."""
        self._middleware_chain = self.answer

    async def answer(self, request: ASGIRequest) -> HttpResponseBase:
        """Resolve and call the view; every exception becomes an answer."""
        try:
            if settings.ALLOWED_HOSTS != ["*"]:
                request.get_host()
            match = _resolved(get_resolver(), request.path_info)
            request.resolver_match = match
            view, args, kwargs = match
            if iscoroutinefunction(view):
                response: HttpResponseBase = await view(request, *args, **kwargs)
            else:
                response = await lane(_whole, view, request, args, kwargs)
        except (asyncio.CancelledError, RequestAborted):
            raise
        except (Resolver404, Http404) as error:
            response = not_found(request, error)
        except Exception as error:
            response = response_for_exception(request, error)
        return response


@functools.lru_cache(maxsize=256)
def _resolved(resolver: URLResolver, path: str) -> ResolverMatch:
    return resolver.resolve(path)


def _whole(view: Callable[..., HttpResponseBase], request: HttpRequest, args: Any, kwargs: Any) -> Any:
    response: Any = view(request, *args, **kwargs)
    return response.render() if hasattr(response, "render") else response


class SiteHandler(_Handler):
    """Admin and static files: Django's whole middleware, in one hop to the site's lane."""

    def load_middleware(self, is_async: bool = False) -> None:
        """The synchronous chain; the gate is called by :meth:`handle`."""
        super().load_middleware(is_async=False)

    async def answer(self, request: Any) -> HttpResponseBase:
        """The response of the middleware chain."""
        return await on(lanes().site, self._answer, request)

    def _answer(self, request: Any) -> Any:
        response: Any = self.get_response(request)
        if response.streaming and not response.is_async:
            response.streaming_content = _pieces(response.streaming_content)
        return response


async def _pieces(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A synchronous stream, read piece by piece on the site's lane."""
    while (piece := await on(lanes().site, next, content, None)) is not None:
        yield piece


def http_application() -> Callable[[Any, Receive, Send], Awaitable[None]]:
    """The ASGI application for HTTP: the API, the browser's part and the MCP tools beside it."""
    api, site = ApiHandler(), SiteHandler()
    mcp = McpDoor(api, lanes)

    async def application(scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"]
        await (site if gate.is_site(path) else mcp if is_mcp(path) else api)(scope, receive, send)

    return application
