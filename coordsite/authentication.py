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

from common import clock, metrics
from common.caller import Caller
from common.errors import Forbidden
from coordsite.models import Token
from coordsite.tokens.selectors import token_of
from coordsite.tokens.services import is_scoped, note_use

if TYPE_CHECKING:  # rest_framework.views imports this module through its settings
    from common.api import ApiView

MOST_SESSION = 200


class TokenRefused(AuthenticationFailed):
    """A token that is known and not accepted. ``next`` is what its owner should do."""

    def __init__(self, detail: str, next: str) -> None:
        super().__init__(detail)
        self.next = next


class BearerAuthentication(BaseAuthentication):
    """Every request of the API proves itself, or nothing of it is looked at."""

    def authenticate(self, request: Request) -> tuple[None, Caller]:
        """The caller. Raises 401."""
        return None, authenticate(request._request)

    def authenticate_header(self, request: Request) -> str:
        """Makes the refusal a 401."""
        return "Bearer"


class IsAuthenticated(BasePermission):
    """Callers only, and only what their role allows: a ``ci`` or ``viewer`` token changes nothing."""

    def has_permission(self, request: Request, view: ApiView) -> bool:  # type: ignore[override]
        """Whether authentication found a caller. Raises :class:`Forbidden` for a role that may not."""
        caller = request.auth
        if not isinstance(caller, Caller):
            return False
        if not caller.acts and request.method not in view.reads:
            raise Forbidden(
                f"A token with role {caller.role} may only read and check",
                next="Use a token with role agent or operator.",
            )
        return True


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
    try:
        caller = resolve_token(presented)
    except TokenRefused:
        metrics.auth_failed()
        raise
    if caller is None:
        metrics.auth_failed()
        raise AuthenticationFailed("Invalid bearer token")
    return caller if session is None else replace(caller, session_id=session)


def resolve_token(raw: str) -> Caller | None:
    """The caller that a presented token proves, whichever kind of token it is; ``None`` for no known one.

    ``raw`` is the header's text as the server decoded it. An unknown and a revoked token are the same to
    their presenter. Raises :class:`TokenRefused` for one that expired, was rotated or is not accepted
    here. Notes the use of a personal token.
    """
    token = token_of(raw)
    if token is not None:
        return _personal(token)
    expected = settings.COORD.auth_token.get_secret_value()
    if not expected or not hmac.compare_digest(_octets(raw), expected.encode("utf-8", "surrogateescape")):
        return None
    if settings.COORD.require_per_engineer_token:
        raise TokenRefused(
            "The shared token is not accepted here",
            "Ask an operator for a token of your own: coord tokens create <engineer>.",
        )
    return Caller(kind="shared", name="shared-token", operator=True, role="operator")


def _personal(token: Token) -> Caller | None:
    now = clock.now()
    state = token.status(now)
    if state == Token.Status.REVOKED:
        return None
    if state == Token.Status.EXPIRED:
        raise TokenRefused(f"The token expired at {clock.iso(token.expires_at)}", "Ask for a new token.")
    if state == Token.Status.SUPERSEDED:
        raise TokenRefused(
            f"The token was rotated and worked until {clock.iso(token.rotation_grace_until)}",
            "Use the token that replaced it.",
        )
    if settings.COORD.require_scoped_token and not is_scoped(token):
        raise TokenRefused("A token without repositories is not accepted here", "Ask for a token with them.")
    note_use(token, now)
    return Caller(
        kind="personal",
        name=token.engineer,
        engineer=token.engineer,
        repositories=frozenset(token.repositories) or None,
        operator=token.role == Token.Role.OPERATOR,
        role=token.role,  # type: ignore[arg-type] # one of the choices
        token_id=token.id,
    )


def auth_mode() -> str:
    """How callers prove themselves, as ``/meta`` and ``/readyz`` say it.

    ``per_engineer``, ``bearer``, ``insecure-no-auth`` or ``misconfigured``.
    """
    if settings.COORD.require_per_engineer_token:
        return "per_engineer"
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
