"""``coord release``: give a claim up."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any
from urllib.parse import quote, urlencode

from django.core.management.base import BaseCommand, CommandError

from coordsite.asking import ask, find_service
from coordsite.bridge.environment import resolve


class Command(BaseCommand):
    """One claim, in the name of its engineer."""

    help = "Release a claim."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which claim, whose."""
        parser.add_argument("claim_id", metavar="CLAIM_ID", help="the claim's id, as `coord claims` shows it")
        parser.add_argument("--engineer", help="the claim's engineer (COORD_REQUESTER, else COORD_USER)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when it was released, 1 when there was nothing to release or the service refuses."""
        claim_id = options["claim_id"]
        engineer = options["engineer"] or resolve(os.environ, os.getcwd()).identity
        if not engineer:
            raise CommandError("Name the claim's engineer: --engineer NAME")
        path = f"/claims/{quote(claim_id, safe='')}?{urlencode({'engineer': engineer})}"
        if not ask(find_service(), "DELETE", path).body.get("released"):
            raise CommandError(f"Nothing released: {claim_id} is no live claim of {engineer}")
        self.stdout.write(f"Released: {claim_id}")
