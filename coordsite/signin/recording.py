"""Every sign-in, by whichever way, is an event."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from coordsite.signin import services
from coordsite.signin.throttling import address_of


def signed_in(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Told by Django; what is not a request of a browser (a test's shortcut) is no sign-in."""
    if request is None or not request.resolver_match:
        return
    services.note_sign_in(user, request.resolver_match.url_name or "", address_of(request))
