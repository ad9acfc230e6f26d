"""``coord claims``: who holds what."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlencode

from django.core.management.base import BaseCommand

from coordsite.asking import ask, find_service
from coordsite.kit.service import clean


class Command(BaseCommand):
    """A line per claim, or the service's JSON."""

    help = "List the live claims."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The filters."""
        parser.add_argument("--engineer", help="only this engineer's")
        parser.add_argument("--all", action="store_true", help="the newest 200, ended ones included")
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print; exit code 1 when the service does not answer or refuses."""
        query = {"active_only": "false" if options["all"] else "true"}
        if options["engineer"]:
            query["engineer"] = options["engineer"]
        body = ask(find_service(), "GET", f"/claims?{urlencode(query)}").body
        rows = body.get("claims", [])
        if options["json"]:
            self.stdout.write(json.dumps({"claims": rows, "count": body.get("count", len(rows))}))
            return
        if not rows:
            self.stdout.write("No claims." if options["all"] else "No active claims.")
        for row in rows:
            self.stdout.write(
                f"{row['id']}  {clean(str(row['engineer']), 200)}  {clean(str(row['pattern']), 1024)}"
                f"  expires={row['expires_at']}"
            )
