"""``coord release``: give a claim up."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any
from urllib.parse import quote, urlencode

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.asking import ask, find_service
from coordsite.bridge.environment import resolve


class Command(ClientCommand):
    """One claim, in the name of its engineer."""

    help = "Release a claim."
    examples = (
        "coord release 3f0c4a52-6d0e-4a53-9d0f-2f6f1d0c8a11 --engineer alice",
        "COORD_USER=alice coord release 3f0c4a52-6d0e-4a53-9d0f-2f6f1d0c8a11 --json",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which claim, whose."""
        parser.add_argument("claim_id", metavar="CLAIM_ID", help="the claim's id, as `coord claims` shows it")
        parser.add_argument(
            "--engineer", metavar="NAME", help="the claim's engineer (COORD_REQUESTER, else COORD_USER)"
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when it was released, 1 when there was nothing to release or the service refuses."""
        claim_id = options["claim_id"]
        engineer = options["engineer"] or resolve(os.environ, os.getcwd()).identity
        if not engineer:
            raise CommandError("Name the claim's engineer: --engineer NAME")
        path = f"/claims/{quote(claim_id, safe='')}?{urlencode({'engineer': engineer})}"
        with self.working("Asking the service"):
            released = ask(find_service(), "DELETE", path).body.get("released")
        if options["json"]:
            self.stdout.write(json.dumps({"claim_id": claim_id, "released": int(released or 0)}))
        if not released:
            raise CommandError(f"Nothing released: {claim_id} is no live claim of {engineer}")
        if not options["json"]:
            self.stdout.write(f"Released: {claim_id}")
