"""``coord status``: is the service there, which version, how many claims."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordsite.asking import find_service
from coordsite.kit.service import Service, Unreachable, clean


class Command(BaseCommand):
    """Three lines; exit code 0 when the service is ready."""

    help = "Say whether the service is ready, its version, and how many claims are live."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """None."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the lines that the service's answers allow."""
        service = find_service()
        try:
            ready = service.call("GET", "/readyz")
            about = service.call("GET", "/meta").body
        except Unreachable as error:
            raise CommandError(f"{service.url} does not answer: {error}; `coord start` starts it") from None
        word = "ready" if ready.status == 200 else f"not ready: {ready.detail}"
        self.stdout.write(f"service        {service.url} ({word})")
        aware = "yes" if about.get("repo_root_configured") else "no"
        version = clean(str(about.get("version", "unknown")), 40)
        self.stdout.write(f"version        {version}, knows a checkout: {aware}")
        self.stdout.write(f"active claims  {live_claims(service)}")
        if ready.status != 200:
            raise CommandError("The service is not ready")


def live_claims(service: Service) -> str:
    """The number of live claims, or why it is not known."""
    try:
        answer = service.call("GET", "/claims")
    except Unreachable as error:
        return f"unknown ({error})"
    return str(answer.body.get("count")) if answer.status == 200 else f"unknown ({answer.detail})"
