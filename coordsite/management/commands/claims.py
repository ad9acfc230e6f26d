"""``coord claims``: who holds what."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlencode

from common.commands import ClientCommand
from coordsite.asking import ask, find_service
from coordsite.bridge.environment import resolve
from coordsite.kit.service import clean

MOST_PAGES = 100


class Command(ClientCommand):
    """A line per claim, or the service's JSON."""

    help = "List the live claims: of this repository when called in one that is initialised, else all."
    examples = ("coord claims", "coord claims --engineer alice --json", "coord claims --repo acme/app --all")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The filters."""
        parser.add_argument("--engineer", metavar="NAME", help="only this engineer's")
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument("--repo", metavar="ID", help="only this repository's, for example acme/app")
        scope.add_argument("--all-repos", action="store_true", help="every repository's")
        parser.add_argument("--all", action="store_true", help="the newest 200, ended ones included")
        parser.add_argument("--json", action="store_true", help="print the claims as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print; exit code 1 when the service does not answer or refuses."""
        query = {"active_only": "false" if options["all"] else "true"}
        repo = options["repo"] or resolve(os.environ, os.getcwd()).repo_id
        if repo and not options["all_repos"]:
            query["repo"] = repo
        if options["engineer"]:
            query["engineer"] = options["engineer"]
        with self.working("Asking the service"):
            rows = listed(query, pages=1 if options["all"] else MOST_PAGES)
        if options["json"]:
            self.stdout.write(json.dumps({"claims": rows, "count": len(rows)}))
            return
        if not rows:
            self.stdout.write("No claims." if options["all"] else "No active claims.")
        for row in rows:
            self.stdout.write(
                f"{row['id']}  {clean(str(row['engineer']), 200)}  {clean(str(row['pattern']), 1024)}"
                f"  expires={row['expires_at']}"
            )


def listed(query: dict[str, str], pages: int = MOST_PAGES) -> list[dict[str, Any]]:
    """The claims that a query finds, page after page. Raises ``CommandError``."""
    service = find_service()
    rows: list[dict[str, Any]] = []
    for _ in range(pages):
        body = ask(service, "GET", f"/claims?{urlencode(query)}").body
        rows += body.get("claims", [])
        cursor = body.get("next_cursor")
        if not cursor:
            break
        query = {**query, "cursor": str(cursor)}
    return rows
