"""One error type for every refusal that a caller can see, whatever the door it came through."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """What went wrong, for programs. Text for people is in ``detail``."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    QUEUED = "queued"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    DEADLOCK = "deadlock"
    GONE = "gone"
    STALE_FENCE = "stale_fence"
    PRECONDITION_FAILED = "precondition_failed"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    IN_FLIGHT = "in_flight"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class CoordError(Exception):
    """A refusal. ``detail`` is for people; ``next`` is the one thing to do; ``retry_after_s`` in seconds.

    ``body`` replaces the usual ``{"detail": …}`` part of the answer where the reference has another
    shape (``POST /claims``); the fields of this error are added to it. Raised by services; translated
    once, by the site's exception handler.
    """

    status = 400
    code = ErrorCode.INVALID
    retryable = False

    def __init__(
        self,
        detail: str,
        *,
        code: ErrorCode | None = None,
        status: int | None = None,
        next: str | None = None,
        retry_after_s: int | None = None,
        retryable: bool | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.next = next
        self.retry_after_s = retry_after_s
        self.retryable = type(self).retryable if retryable is None else retryable
        self.body = body


class Invalid(CoordError):
    """The request cannot be understood or breaks a bound. Nothing was changed."""


class Forbidden(CoordError):
    """The caller is known and may not do this."""

    status = 403
    code = ErrorCode.FORBIDDEN


class NotFound(CoordError):
    """The thing addressed does not exist (or is outside the caller's repositories)."""

    status = 404
    code = ErrorCode.NOT_FOUND


class Conflict(CoordError):
    """The state of the service does not allow this now."""

    status = 409
    code = ErrorCode.CONFLICT


class TooMany(CoordError):
    """A limit of the caller is reached; ``retry_after_s`` says when to come back."""

    status = 429
    code = ErrorCode.TOO_MANY
    retryable = True
