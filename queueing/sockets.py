"""Who is at the other end of a websocket."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.settings import api_settings

from common.caller import Caller

SUBPROTOCOL = "coord"
BEARER = "bearer."
"""A browser cannot set headers: it offers ``coord`` and ``bearer.<token in URL-safe base64>``."""


def _header(scope: Mapping[str, Any], name: bytes) -> str | None:
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if found else None


def _offered_token(scope: Mapping[str, Any]) -> str | None:
    """The token among the offered subprotocols."""
    for offer in scope.get("subprotocols", ()):
        if offer.startswith(BEARER):
            coded = offer.removeprefix(BEARER)
            try:
                return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
            except (binascii.Error, UnicodeDecodeError, ValueError):
                return None
    return None


def is_same_origin(scope: Mapping[str, Any], *, required: bool = False) -> bool:
    """Whether the page that opened the socket is this service's own.

    A client that is no page names no origin; it passes unless one is ``required``.
    """
    origin = _header(scope, b"origin")
    if origin is None:
        return not required
    return urlsplit(origin).netloc == _header(scope, b"host")


def is_allowed_host(scope: Mapping[str, Any]) -> bool:
    """Whether the client addresses this service by a name that it answers to, as for every call."""
    try:
        _as_request(scope).get_host()
    except DisallowedHost:
        return False
    return True


def caller_of(scope: Mapping[str, Any], permission: str) -> Caller | None:
    """The caller behind a websocket's scope: by token, or by the admin session. Reads the database.

    A token is proof from any page. A session (or a service without tokens) is believed only when the
    page is this service's own; a session's user needs ``permission``.
    """
    token = _offered_token(scope)
    presented = token is not None or _header(scope, b"authorization") is not None
    if not presented and not is_same_origin(scope):
        return None
    user = scope.get("user")
    if not presented and user is not None and user.is_authenticated:
        person: Any = get_user_model().objects.filter(pk=user.pk, is_active=True, is_staff=True).first()
        if person is None or not person.has_perm(permission):
            return None
        return Caller(kind="admin", name=person.get_username(), operator=True)
    return _by_token(scope, token)


def _by_token(scope: Mapping[str, Any], token: str | None) -> Caller | None:
    headers = list(scope["headers"])
    if token is not None:
        headers = [header for header in headers if header[0] != b"authorization"]
        headers.append((b"authorization", f"Bearer {token}".encode()))
    request = _as_request({**scope, "headers": headers})
    authenticators: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    for authenticator in authenticators:
        try:
            found = authenticator().authenticate(Request(request))
        except APIException:
            return None
        if found is not None and isinstance(found[1], Caller):
            return found[1]
    return None


def _as_request(scope: Mapping[str, Any]) -> ASGIRequest:
    return ASGIRequest({**scope, "type": "http", "method": "GET"}, BytesIO())
