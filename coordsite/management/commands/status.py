"""``coord status``: is the service there, which version, how many claims, with which token."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.asking import away, find_service, settings_here
from coordsite.bridge.environment import Settings
from coordsite.kit.service import Service, Unreachable, clean


class Command(ClientCommand):
    """A few lines; exit code 0 when the service is ready."""

    help = "Say whether the service is ready, its version, how many claims are live, and which token is used."
    examples = ("coord status", "coord status --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to answer."""
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what the service's answers allow; exit code 1 when it is not ready. A refused
        token is told on standard error: whether the service runs is another question.
        """
        settings = settings_here()
        service = find_service(settings)
        try:
            with self.working("Asking the service"):
                state = state_of(service, settings)
        except Unreachable as error:
            if options["json"]:
                self.stdout.write(json.dumps(unknown(settings, str(error))))
            raise CommandError(away(service, error)) from None
        self.stdout.write(json.dumps(state) if options["json"] else in_words(state))
        if not state["ready"]:
            raise CommandError("The service is not ready")
        if state["active_claims"] is None:
            self.stderr.write(f"The claims cannot be read: {state['trouble']}; run `coord doctor`")


def state_of(service: Service, settings: Settings) -> dict[str, Any]:
    """What the service says about itself and about this client. Raises :class:`Unreachable`."""
    ready = service.call("GET", "/readyz")
    about = service.call("GET", "/meta").body
    claims = service.call("GET", "/claims?active_only=true")
    return {
        "service_url": settings.shown_url,
        "ready": ready.status == 200,
        "detail": "" if ready.status == 200 else ready.detail,
        "version": clean(str(about.get("version", "unknown")), 40),
        "knows_a_checkout": bool(about.get("repo_root_configured")),
        "active_claims": claims.body.get("count") if claims.status == 200 else None,
        "more_claims": bool(claims.body.get("next_cursor")) if claims.status == 200 else None,
        "trouble": "" if claims.status == 200 else claims.detail,
        "repo": settings.repo_id,
        "token": token_source(settings),
    }


def unknown(settings: Settings, detail: str) -> dict[str, Any]:
    """The state where no service answers: what only it could tell is ``None``."""
    return {
        "service_url": settings.shown_url,
        "ready": False,
        "detail": detail,
        "version": None,
        "knows_a_checkout": None,
        "active_claims": None,
        "more_claims": None,
        "trouble": detail,
        "repo": settings.repo_id,
        "token": token_source(settings),
    }


def token_source(settings: Settings) -> str:
    """Where the token comes from, in words."""
    source = settings.sources.get("COORD_AUTH_TOKEN")
    if source == "environment":
        return "from environment"
    if source == "file":
        return "from .coordination/local.env"
    return "from the local service" if settings.token else "not set"


def in_words(state: dict[str, Any]) -> str:
    """The state for people, one fact a line."""
    word = "ready" if state["ready"] else f"not ready: {state['detail']}"
    aware = "yes" if state["knows_a_checkout"] else "no"
    shown = state["active_claims"]
    if shown is None:
        shown = f"unknown ({state['trouble']})"
    elif state["more_claims"]:
        shown = f"{shown} or more"
    return "\n".join(
        [
            f"service        {state['service_url']} ({word})",
            f"version        {state['version']}, knows a checkout: {aware}",
            f"active claims  {shown}",
            f"repository     {state['repo'] or 'not set'}",
            f"token          {state['token']}",
        ]
    )
