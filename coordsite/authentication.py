"""Bearer authentication: from an ``Authorization`` header to a :class:`common.caller.Caller`."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common import metrics
from common.caller import Caller

if TYPE_CHECKING:
    # rest_framework.views reads this module's classes while it is imported.
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
    expected = settings.COORD.auth_token.get_secret_value()
    if not expected and settings.COORD.allow_insecure_no_auth:
        return Caller(kind="insecure", name="insecure", session_id=session, operator=True)
    scheme, _, presented = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    presented = presented.strip()
    if scheme != "Bearer" or not presented:
        metrics.auth_failed()
        raise NotAuthenticated("Missing bearer token")
    if expected and hmac.compare_digest(_octets(presented), _octets(expected)):
        return Caller(kind="shared", name="shared-token", session_id=session, operator=True)
    metrics.auth_failed()
    raise AuthenticationFailed("Invalid bearer token")


def session_of(request: HttpRequest) -> str | None:
    """The calling agent process's session, from ``X-Coord-Session``; bounded."""
    return request.META.get("HTTP_X_COORD_SESSION", "").strip()[:MOST_SESSION] or None


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
