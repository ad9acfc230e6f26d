"""The one place where an exception becomes an answer."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common.api import InvalidRequest
from common.errors import CoordError, ErrorCode


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
            next="Send Authorization: Bearer <token>.",
        )
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return _answer(403, "Not allowed for this token", ErrorCode.FORBIDDEN)
    if isinstance(error, exceptions.APIException):
        return _answer(error.status_code, str(error.detail), ErrorCode.INVALID)
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
