"""Bearer authentication: from an ``Authorization`` header to a :class:`common.caller.Caller`."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common import metrics
from common.caller import Caller

if TYPE_CHECKING:  # rest_framework.views imports this module through its settings
    from rest_framework.views import APIView

MOST_SESSION = 200


class BearerAuthentication(BaseAuthentication):
    """Every request of the API proves itself, or nothing of it is looked at."""

    def authenticate(self, request: Request) -> tuple[None, Caller]:
        """The caller. Raises 401 with the reference's two texts."""
        return None, authenticate(request._request)

    def authenticate_header(self, request: Request) -> str:
        """Makes the refusal a 401."""
        return "Bearer"


class IsAuthenticated(BasePermission):
    """Callers only."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether authentication found a caller."""
        return isinstance(request.auth, Caller)


def authenticate(request: HttpRequest) -> Caller:
    """The caller behind a request. Raises ``NotAuthenticated`` or ``AuthenticationFailed``."""
    session = session_of(request)
    if auth_mode() == "insecure-no-auth":
        return Caller(kind="insecure", name="insecure", session_id=session, operator=True)
    scheme, _, presented = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    presented = presented.strip()
    if scheme != "Bearer" or not presented:
        metrics.auth_failed()
        raise NotAuthenticated("Missing bearer token")
    caller = resolve_token(presented)
    if caller is None:
        metrics.auth_failed()
        raise AuthenticationFailed("Invalid bearer token")
    return caller if session is None else replace(caller, session_id=session)


def resolve_token(raw: str) -> Caller | None:
    """The caller that a presented token proves, whichever kind of token it is; ``None`` for no known one.

    ``raw`` is the header's text as the server decoded it. Compares in constant time.
    """
    expected = settings.COORD.auth_token.get_secret_value()
    if expected and hmac.compare_digest(_octets(raw), expected.encode("utf-8", "surrogateescape")):
        return Caller(kind="shared", name="shared-token", operator=True)
    return None


def auth_mode() -> str:
    """``bearer``, ``insecure-no-auth`` or ``misconfigured``, as ``/meta`` and ``/readyz`` say it."""
    if settings.COORD.auth_token.get_secret_value():
        return "bearer"
    return "insecure-no-auth" if settings.COORD.allow_insecure_no_auth else "misconfigured"


def session_of(request: HttpRequest) -> str | None:
    """The calling agent process's session, from ``X-Coord-Session``; bounded."""
    return request.META.get("HTTP_X_COORD_SESSION", "").strip()[:MOST_SESSION] or None


def _octets(text: str) -> bytes:
    """The bytes that the client sent: servers hand header bytes over as Latin-1 text."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
