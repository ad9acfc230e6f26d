"""The API's one style: a view per operation with its own input serializer.

A view reads ``self.caller``, ``self.body(Serializer)`` and ``self.query(Serializer)``, calls a service or
a selector, and returns a response. A view that has to wait returns :class:`Parked`: its continuation runs
on the event loop and holds neither a thread nor a database connection; it comes back with :func:`lane`
whenever it needs the database.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar, cast

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpResponseBase, QueryDict
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.exceptions import APIException, MethodNotAllowed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from common.caller import Caller

T = TypeVar("T")
Finish = Callable[[Response], HttpResponseBase]


STOPPING = "the service is stopping"
"""The message of the cancellation that sends parked waiters home because the service stops."""


class InvalidRequest(APIException):
    """422: the body or the query breaks its serializer; ``problems`` is the reference's list form."""

    status_code = 422

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__()
        self.problems = problems


class Parked(Response):
    """A view's word that the answer comes later: ``resume`` is awaited on the event loop.

    When the client disconnects, ``asyncio.CancelledError`` is raised inside ``resume``, which cleans up
    in ``finally``.
    """

    def __init__(self, resume: Callable[[], Awaitable[Response]]) -> None:
        super().__init__()
        self.resume = resume
        self.finish: Finish | None = None


class Park(Protocol):
    """How a server awaits a parked continuation: until it ends, the client leaves or the server stops."""

    def __call__(self, resume: Callable[[], Awaitable[Response]], /) -> Awaitable[Response]:
        """The continuation's answer. Raises what the continuation raises, or a refusal of its own."""
        ...


_executor: Executor | None = None
_upkeep: Executor | None = None
_tidy: Callable[[], None] | None = None


def use_lane(
    executor: Executor | None, tidy: Callable[[], None] | None = None, upkeep: Executor | None = None
) -> None:
    """Let :func:`lane` run on ``executor``'s threads and :func:`aside` on ``upkeep``'s, ``tidy`` before and
    after each call. Once, when serving starts.

    Without it (test clients, commands) both use the thread of the surrounding synchronous code.
    """
    global _executor, _tidy, _upkeep
    _executor, _tidy, _upkeep = executor, tidy, upkeep


async def lane(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run a synchronous function on the API lane (a persistent thread with its own connection).

    When the awaiting task is cancelled, the function is never cut: ``lane`` waits until it has ended (or
    takes it back before it began) and then raises ``CancelledError``. So clean-up in ``finally`` always
    sees what the function did.
    """
    return await _run_on(_executor, functools.partial(function, *args, **kwargs))


async def aside(function: Callable[..., T], *args: Any) -> T:
    """As :func:`lane`, on a thread of its own: what must be done in time does not queue behind the calls."""
    return await _run_on(_upkeep or _executor, functools.partial(function, *args))


async def _run_on(executor: Executor | None, call: Callable[[], T]) -> T:
    if executor is None:
        return await sync_to_async(call, thread_sensitive=True)()
    if _tidy is not None:
        call = functools.partial(_between, _tidy, call)
    return await _Errand(call).run(executor)


class _Errand(Generic[T]):
    """One call on a lane's thread and who awaits it: one hop there, one back, whatever comes of it."""

    __slots__ = ("_answer", "_call", "_ended", "_loop")

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[T] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()

    async def run(self, executor: Executor) -> T:
        """The call's result. Cancelled, it waits for a call that has begun."""
        job = executor.submit(contextvars.copy_context().run, self._work)
        try:
            return await self._answer
        except asyncio.CancelledError:
            if not job.cancel():
                await self._ended
            raise

    def _work(self) -> None:
        value: Any = None
        failure: BaseException | None = None
        try:
            value = self._call()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended, and who awaited with it
            self._loop.call_soon_threadsafe(self._tell, value, failure)

    def _tell(self, value: T, failure: BaseException | None) -> None:
        if not self._ended.cancelled():
            self._ended.set_result(None)
        if self._answer.cancelled():
            return
        if failure is not None:
            self._answer.set_exception(failure)
        else:
            self._answer.set_result(value)


def _between(tidy: Callable[[], None], call: Callable[[], T]) -> T:
    tidy()
    try:
        return call()
    finally:
        tidy()


class _Renderer(JSONRenderer):
    """JSON without indentation: what ``Accept`` says of it is not looked for."""

    def get_indent(self, accepted_media_type: Any, renderer_context: Any) -> None:
        return None


_JSON = _Renderer()


class ApiView(APIView):
    """Base of every operation. Answers JSON whatever ``Accept`` says; HEAD and OPTIONS are 405."""

    http_method_names = ["get", "post", "put", "patch", "delete"]
    reads: frozenset[str] = frozenset({"GET"})
    """The methods that change nothing: what a caller who may only read may use."""

    @classmethod
    @functools.cache
    def _methods(cls) -> frozenset[str]:
        return frozenset(name.upper() for name in cls.http_method_names if hasattr(cls, name))

    proved: Caller | None = None
    """The caller, once the request has proved one and may use the method."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a wrong method, then a wrong caller, before anything of the request is read."""
        self.format_kwarg = None
        if request.method not in self._methods():
            raise MethodNotAllowed(str(request.method))
        request.accepted_renderer, request.accepted_media_type = _JSON, _JSON.media_type
        self.perform_authentication(request)
        self.check_permissions(request)
        self.proved = self.caller
        if self.proved.repositories is not None:
            self.headers["X-Coord-Repo-Scope"] = ", ".join(sorted(self.proved.repositories))

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """JSON, always."""
        return _JSON, _JSON.media_type

    @property
    def default_response_headers(self) -> dict[str, str]:
        """``Allow``."""
        return {"Allow": ", ".join(sorted(self._methods()))}

    @property
    def caller(self) -> Caller:
        """Who asks, as authentication proved it."""
        return cast(Caller, self.request.auth)

    def body(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The validated JSON body. Raises :class:`InvalidRequest`."""
        return _validated(serializer, self._json(), "body")

    def query(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The validated query; list fields take repeated parameters. Raises :class:`InvalidRequest`."""
        return read_query(serializer, self.request._request.GET)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Give a parked answer the means to become a whole response later."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(response, Parked):
            headers = dict(self.headers)

            def finish(late: Response) -> HttpResponseBase:
                self.headers = headers
                done = super(ApiView, self).finalize_response(request, late, *args, **kwargs)
                return cast(HttpResponseBase, done.render())

            response.finish = finish
        return finished

    def _json(self) -> Any:
        media = (self.request.content_type or "").split(";")[0].strip().lower()
        try:
            raw = self.request._request.body
        except RawPostDataException:
            return self.request.data
        if media != "application/json" and not media.endswith("+json"):
            _refuse("model_attributes_type", ["body"], "Send a JSON object as application/json", None)
        try:
            data = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            position = getattr(error, "pos", 0)
            _refuse("json_invalid", ["body", position], "JSON decode error", {})
        if not isinstance(data, dict):
            _refuse("model_attributes_type", ["body"], "Send a JSON object", None)
        return data


def as_async_view(view: type[ApiView]) -> Callable[..., Any]:
    """The view for the URL map when it may park: runs on the lane, waits on the event loop."""
    handle = view.as_view()

    async def wrapped(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = await lane(_rendered, handle, request, args, kwargs)
        if not isinstance(response, Parked):
            return response
        park: Park | None = getattr(request, "park", None)
        try:
            late = await (response.resume() if park is None else park(response.resume))
        except Exception as error:
            late = await lane(_failed, view, response, error)
        finish = response.finish
        if finish is None:
            raise RuntimeError("a parked answer did not come from ApiView")
        return await lane(finish, late)

    entry = csrf_exempt(wrapped)
    if not iscoroutinefunction(entry):
        markcoroutinefunction(entry)
    entry.cls = view  # type: ignore[attr-defined]
    entry.initkwargs = {}  # type: ignore[attr-defined]
    return entry


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from synchronous code that has no event loop (commands, tests)."""

    async def run() -> T:
        return await coroutine

    return async_to_sync(run)()


def _rendered(handle: Callable[..., Any], request: Any, args: Any, kwargs: Any) -> HttpResponseBase:
    response: HttpResponseBase = handle(request, *args, **kwargs)
    if isinstance(response, Response) and not isinstance(response, Parked):
        response.render()
    return response


def _failed(view: type[ApiView], parked: Parked, error: Exception) -> Response:
    response: Response | None = view().get_exception_handler()(error, {"view": None})
    if response is None:
        raise error
    return response


def read_query(serializer: type[serializers.Serializer[Any]], params: QueryDict) -> dict[str, Any]:
    """A validated query; list fields take repeated parameters. Raises :class:`InvalidRequest`."""
    fields = _query_fields(serializer)
    data = {
        name: params.getlist(name) if fields[name] else params.get(name) for name in params if name in fields
    }
    return _validated(serializer, data, "query")


@functools.cache
def _query_fields(serializer: type[serializers.Serializer[Any]]) -> dict[str, bool]:
    """The query's parameters, and whether each may be repeated."""
    return {name: isinstance(field, serializers.ListField) for name, field in serializer().fields.items()}


@functools.cache
def _reader(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One instance reads every call's data: validation keeps nothing, and making the fields is what costs."""
    return serializer()


def _validated(
    serializer: type[serializers.Serializer[Any]], data: Mapping[str, Any], where: str
) -> dict[str, Any]:
    try:
        return dict(_reader(serializer).run_validation(data))
    except serializers.ValidationError as error:
        raise InvalidRequest(_problems(error.detail, [where], data)) from error


_TYPES = {
    "required": "missing",
    "null": "none_not_allowed",
    "blank": "string_too_short",
    "max_length": "too_long",
    "min_length": "too_short",
    "max_value": "less_than_equal",
    "min_value": "greater_than_equal",
    "invalid_choice": "enum",
    "not_a_list": "list_type",
    "invalid": "value_error",
}
_MOST_PROBLEMS = 50


def _problems(errors: Any, where: list[Any], data: Any) -> list[dict[str, Any]]:
    """DRF's nested errors as the flat list of the reference."""
    found: list[dict[str, Any]] = []
    if isinstance(errors, dict):
        for name, inner in errors.items():
            step = [] if name == api_settings.NON_FIELD_ERRORS_KEY else [name]
            found += _problems(inner, [*where, *step], _at(data, name) if step else data)
    elif isinstance(errors, list) and errors and all(isinstance(inner, dict) for inner in errors):
        for index, inner in enumerate(errors):
            if inner:
                found += _problems(inner, [*where, index], _at(data, index))
    else:
        for error in errors:
            kind = _TYPES.get(getattr(error, "code", "invalid"), "value_error")
            found.append({"type": kind, "loc": where, "msg": str(error), "input": _echo(data)})
    return found[:_MOST_PROBLEMS]


def _at(data: Any, step: Any) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _echo(value: Any) -> Any:
    """The input, cut, and never something that JSON cannot carry."""
    if isinstance(value, str):
        return value[:200].encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | bool | None) else None


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _refuse(kind: str, where: list[Any], message: str, given: Any) -> None:
    raise InvalidRequest([{"type": kind, "loc": where, "msg": message, "input": given}])
