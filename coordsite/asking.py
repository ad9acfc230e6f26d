"""How the commands of ``coord`` reach the service: the repository's settings, the environment, the home."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import CommandError

from coordsite.bridge.environment import Settings, resolve, starter
from coordsite.home import home_here
from coordsite.keys import kept_secret
from coordsite.kit.service import Answer, Service, Unreachable

TIMEOUT_S = 5.0


def settings_here() -> Settings:
    """How the service is reached from here: as the repository or the environment says, else the one that
    ``coord start`` runs on this machine, with the token of its home.
    """
    settings = resolve(os.environ, os.getcwd())
    if not settings.is_local:
        return settings
    home = home_here(os.environ)
    url = home.url() if settings.path is None else ""  # hooks and agents go where the repository's file says
    return settings._replace(
        api_url=url or settings.api_url, token=settings.token or kept_secret(home.token, create=False)
    )


def find_service(settings: Settings | None = None) -> Service:
    """The service to ask from here."""
    settings = settings or settings_here()
    return Service(settings.api_url, token=settings.token or "", timeout=TIMEOUT_S)


def away(service: Service, error: Unreachable) -> str:
    """What to say, and what to do, when a service does not answer."""
    start = starter(service.url)
    return f"{error}; " + (
        f"`{start}` starts it" if start else "ask whoever runs it, or correct COORD_API_URL"
    )


def ask(service: Service, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
    """One answer with a status below 400. Raises ``CommandError`` (exit code 1) with what to do."""
    try:
        answer = service.call(method, path, body)
    except Unreachable as error:
        raise CommandError(away(service, error)) from None
    if answer.status == 401:
        raise CommandError(f"{service.shown}: {answer.detail}; set COORD_AUTH_TOKEN to the service's token")
    if answer.status >= 400:
        raise CommandError(f"{service.shown}: {answer.detail}")
    return answer
