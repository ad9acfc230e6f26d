"""What every request passes: an id, a body limit, a metric, a line in the access log."""

from __future__ import annotations

import functools
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from common import metrics
from common.errors import ErrorCode
from coordsite import logs

access = logging.getLogger("coord.access")

KIB = 1024
MOST_BODY = 2 * KIB * KIB
"""No body is larger, whatever its path, in bytes."""
_LIMITS = (
    ("/claims", MOST_BODY),
    ("/conflicts", MOST_BODY),
    ("/verify", MOST_BODY),
    ("/mcp", MOST_BODY),
    ("/hooks", MOST_BODY),
    ("/config/ownership", KIB * KIB),
)
_OTHER_LIMIT = 256 * KIB
SITE_PREFIXES = ("/admin", "/dashboard", "/static")
"""Paths served to browsers with Django's whole middleware; everything else is the API."""
_BELOW_SITE = tuple(f"{prefix}/" for prefix in SITE_PREFIXES)

_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_PARAMETER = re.compile(r"<(?:[^<>:]+:)?([^<>]+)>")
UNMATCHED = "<unmatched>"


def is_site(path: str) -> bool:
    """Whether a path belongs to the browser's part of the service."""
    return path.startswith(_BELOW_SITE) or path in SITE_PREFIXES


@functools.lru_cache(maxsize=512)
def template_of(route: str) -> str:
    """A Django route as the documents write it: ``/claims/{claim_id}``."""
    return "/" + _PARAMETER.sub(r"{\1}", route).lstrip("/^").rstrip("$")


def body_limit(path: str) -> int:
    """The most bytes that a body sent to ``path`` may have."""
    if is_site(path):
        return MOST_BODY
    for prefix, limit in _LIMITS:
        if path == prefix or path.startswith(prefix + "/"):
            return limit
    return _OTHER_LIMIT


def compact(body: dict[str, Any], status: int = 200) -> JsonResponse:
    """A JSON answer without blanks."""
    return JsonResponse(body, status=status, json_dumps_params={"separators": (",", ":")})


def problem(status: int, detail: str, code: ErrorCode, **more: Any) -> JsonResponse:
    """An error answer in the API's one shape, for what never reaches a view."""
    body = {
        "detail": detail,
        "code": str(code),
        "retryable": more.get("retryable", False),
        "retry_after_s": more.get("retry_after_s"),
        "next": more.get("next"),
    }
    response = compact(body, status)
    if body["retry_after_s"] is not None:
        response["Retry-After"] = str(body["retry_after_s"])
    return response


def too_large(path: str) -> JsonResponse:
    """413."""
    limit = body_limit(path) // KIB
    return problem(
        413,
        f"The body is larger than {limit} KiB",
        ErrorCode.TOO_LARGE,
        next="Send the items in several smaller calls.",
    )


class Gate:
    """Django middleware, outermost; the API's lane calls :meth:`enter` and :meth:`leave` itself."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(cast(Any, self))

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """The answer, marked, measured and logged."""
        if hasattr(request, "began"):  # a lane's handler is at the gate already
            return cast(HttpResponseBase, self.get_response(request))
        if self.is_async:
            return self._acall(request)
        early = enter(request)
        return leave(request, early or self.get_response(request))

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        early = enter(request)
        return leave(request, early or await self.get_response(request))


def enter(request: HttpRequest) -> HttpResponseBase | None:
    """Name the request; the answer when it must go no further."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    marks: Any = request
    marks.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    marks.began = time.perf_counter()
    logs.request_id.set(marks.request_id)
    if "\0" in request.path_info:  # no id has it, and PostgreSQL takes no text with it
        return problem(404, "Not Found", ErrorCode.NOT_FOUND)
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and (len(length) > 12 or int(length) > body_limit(request.path_info)):
        return too_large(request.path_info)
    return None


def leave(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Mark, measure and log an answer."""
    marks: Any = request
    seconds = time.perf_counter() - marks.began
    response["X-Request-ID"] = marks.request_id
    response.setdefault("X-Content-Type-Options", "nosniff")
    match = request.resolver_match
    if match is not None:
        path = "/admin/{path}" if request.path_info.startswith("/admin") else template_of(match.route)
    else:
        path = "/static/{path}" if request.path_info.startswith("/static/") else UNMATCHED
    method = request.method if request.method in _METHODS else "OTHER"
    status = response.status_code
    metrics.answered(str(method), path, status, seconds)
    if access.isEnabledFor(logging.INFO):
        figures = {
            "event": "http_request",
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
            "request_id": marks.request_id,
        }
        access.info("http_request", extra=figures)
    return response
