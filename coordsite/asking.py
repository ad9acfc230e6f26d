"""How the commands of ``coord`` reach the service: the repository's settings, the environment, the home."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from coordsite.bridge.environment import resolve
from coordsite.kit.service import Answer, Service, Unreachable

TIMEOUT_S = 5.0


def find_service() -> Service:
    """The service of the enclosing repository, else of the environment, else the one started here."""
    settings = resolve(os.environ, os.getcwd())
    token = settings.token or ""
    if not token and settings.is_local:
        token = home_token()
    return Service(settings.api_url, token=token, timeout=TIMEOUT_S)


def home_token() -> str:
    """The token that ``coord start`` keeps; empty when it never ran here."""
    home = Path(os.environ.get("COORD_HOME") or "~/.coord").expanduser()
    try:
        return (home / "token").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def ask(service: Service, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
    """One answer with a status below 400. Raises ``CommandError`` (exit code 1) with what to do."""
    try:
        answer = service.call(method, path, body)
    except Unreachable as error:
        raise CommandError(f"{error}; `coord start` starts it") from None
    if answer.status == 401:
        raise CommandError(f"{service.url}: {answer.detail}; set COORD_AUTH_TOKEN to the service's token")
    if answer.status >= 400:
        raise CommandError(f"{service.url}: {answer.detail}")
    return answer
