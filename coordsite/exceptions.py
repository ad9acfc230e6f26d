"""The one place where an exception becomes an answer."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common.api import InvalidRequest
from common.errors import CoordError, ErrorCode
from coordsite.gate import is_site, problem

log = logging.getLogger("coord.api")


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception raised by a view; ``None`` for one that nobody foresaw (a 500)."""
    set_rollback()
    if isinstance(error, CoordError):
        return _coord(error)
    if isinstance(error, InvalidRequest):
        return _answer(422, error.problems, ErrorCode.INVALID, next="Correct the fields that detail names.")
    if isinstance(error, Http404 | exceptions.NotFound):
        return _answer(404, "Not Found", ErrorCode.NOT_FOUND)
    if isinstance(error, exceptions.MethodNotAllowed):
        return _answer(405, "Method Not Allowed", ErrorCode.METHOD_NOT_ALLOWED)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return _answer(
            401,
            str(error.detail),
            ErrorCode.UNAUTHENTICATED,
            next=getattr(error, "next", "Send Authorization: Bearer <token>."),
        )
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return _answer(403, "Not allowed for this token", ErrorCode.FORBIDDEN)
    if isinstance(error, exceptions.APIException):
        return _answer(error.status_code, str(error.detail), ErrorCode.INVALID)
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database refused a request", exc_info=error)
        return _answer(
            503,
            "The database did not answer; whether anything was changed is not known.",
            ErrorCode.UNAVAILABLE,
            retryable=True,
            retry_after_s=2,
            next="Send the same request again: it is safe to repeat.",
        )
    return None


def _coord(error: CoordError) -> Response:
    response = _answer(
        error.status,
        error.detail,
        error.code,
        retryable=error.retryable,
        retry_after_s=error.retry_after_s,
        next=error.next,
    )
    if error.body is not None:
        del response.data["detail"]
        response.data = {**error.body, **response.data}
    return response


def _answer(
    status: int,
    detail: Any,
    code: ErrorCode,
    *,
    retryable: bool = False,
    retry_after_s: int | None = None,
    next: str | None = None,
) -> Response:
    body = {
        "detail": detail,
        "code": str(code),
        "retryable": retryable,
        "retry_after_s": retry_after_s,
        "next": next,
    }
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else None
    return Response(body, status=status, headers=headers)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """404; or 307 when the path without its trailing slashes exists."""
    if is_site(request.path_info):
        return defaults.page_not_found(request, exception or Http404())
    bare = request.path_info.rstrip("/")
    if bare and bare != request.path_info and request.resolver_match is None and _exists(bare):
        query = request.META.get("QUERY_STRING", "")
        target = request.path.rstrip("/") + (f"?{query}" if query else "")
        # One slash: a browser takes `//host` for another host.
        return HttpResponse(status=307, headers={"Location": "/" + target.lstrip("/")})
    return problem(404, "Not Found", ErrorCode.NOT_FOUND, next="GET /openapi.json lists the paths.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """400 for what Django finds suspicious (a host that is not allowed, too many fields)."""
    if is_site(request.path_info):
        return defaults.bad_request(request, exception or ValueError())
    return problem(
        400, "Bad Request", ErrorCode.INVALID, next="Check the Host header and COORD_ALLOWED_HOSTS."
    )


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500 for what nobody foresaw: the log has the trace, the client the request's id and nothing else."""
    request_id = getattr(request, "request_id", "")
    if is_site(request.path_info):
        return defaults.server_error(request)
    return problem(
        500,
        f"Internal Server Error (request {request_id})",
        ErrorCode.INTERNAL,
        retryable=True,
        next="Look for this request id in the service's log.",
    )


def _exists(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
