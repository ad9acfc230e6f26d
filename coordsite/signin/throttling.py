"""Whom failed sign-ins are counted for: the address they come from, and the account they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def address_of(request: HttpRequest) -> str | None:
    """The client's address: the connection's, or what the outermost trusted proxy says.

    Each trusted proxy adds the address it was called from at the right end of ``X-Forwarded-For``; what
    lies further left is the client's own word.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.COORD.trusted_proxies
    if trusted and hops:
        return str(hops[-min(trusted, len(hops))][:45])
    return str(request.META.get("REMOTE_ADDR") or "") or None


def counted_by(request: Any, credentials: Mapping[str, Any] | None = None) -> list[str]:
    """What a failure is counted by: the address, and the account if one is named."""
    named = getattr(request, "username", None) or (credentials or {}).get("username")
    return ["ip_address", "username"] if named else ["ip_address"]


def told_to_wait(request: HttpRequest, original: HttpResponse, credentials: Any = None) -> HttpResponse:
    """429: too many failures; says when to come back."""
    seconds = settings.COORD.signin_wait_sec
    minutes = max(1, round(seconds / 60))
    response = render(request, "admin/signin_wait.html", {"title": "Wait", "minutes": minutes}, status=429)
    response["Retry-After"] = str(seconds)
    return response
