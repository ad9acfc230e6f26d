"""``coord engineers stale``: who holds claims and has shown no sign of life for days."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from common import clock
from common.commands import ClientCommand
from coordsite.asking import ask, find_service
from coordsite.kit.service import clean
from coordsite.management.commands.claims import listed

MOST_DAYS = 3650.0
CHUNK = 100


class Command(ClientCommand):
    """A line per engineer; ``--release`` gives their claims back."""

    help = "List the engineers who hold claims without a sign of life; release what they hold."
    examples = (
        "coord engineers stale",
        "coord engineers stale --days 2 --json",
        "coord engineers stale --days 2 --release --yes",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One subcommand."""
        actions = parser.add_subparsers(dest="action", required=True, title="actions")
        stale = actions.add_parser("stale", help="engineers whose claims show no sign of life")
        stale.add_argument("--days", type=float, default=7, help="without one for so many days (7)")
        stale.add_argument("--release", action="store_true", help="release their claims")
        stale.add_argument("--yes", action="store_true", help="release without asking")
        stale.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when the service does not answer, refuses, or the release is not confirmed."""
        days = options["days"]
        if not 0 <= days <= MOST_DAYS:
            raise CommandError(f"--days must be at least 0 and at most {MOST_DAYS:g}")
        with self.working("Asking the service"):
            rows = stale(listed({"active_only": "true"}), timedelta(days=days))
        released = self.release(rows, options) if options["release"] and rows else 0
        shown = [{name: value for name, value in row.items() if name != "claim_ids"} for row in rows]
        if options["json"]:
            self.stdout.write(json.dumps({"engineers": shown, "count": len(shown), "released": released}))
            return
        for row in shown:
            repos = ", ".join(clean(name, 200) for name in row["repos"])
            self.stdout.write(
                f"{clean(row['engineer'], 200)}  last={row['last_activity']}"
                f"  claims={row['active_claim_count']}  {repos}".rstrip()
            )
        if not rows:
            self.stdout.write(f"Nobody holds a claim without a sign of life for {days:g} days.")
        elif options["release"]:
            self.stdout.write(f"Released {released} claims.")

    def release(self, rows: list[dict[str, Any]], options: dict[str, Any]) -> int:
        """Release what the engineers hold; how many claims."""
        count = sum(row["active_claim_count"] for row in rows)
        if not options["yes"]:
            if options["json"] or not sys.stdin.isatty():
                raise CommandError("--release asks before it releases; add --yes")
            question = f"Release {count} claims of {len(rows)} engineers? [y/N] "
            if input(question).strip().lower() not in ("y", "yes"):
                raise CommandError("Nothing was released")
        service, released = find_service(), 0
        with self.working(f"Releasing {count} claims"):
            for row in rows:
                ids = row["claim_ids"]
                for start in range(0, len(ids), CHUNK):
                    body = {"claim_ids": ids[start : start + CHUNK], "engineer": row["engineer"]}
                    released += int(ask(service, "POST", "/claims/release", body).body.get("released") or 0)
        return released


def stale(claims: Iterable[dict[str, Any]], age: timedelta) -> list[dict[str, Any]]:
    """Engineers all of whose live claims were last used longer ago than ``age``, the longest silent first."""
    now = clock.now()
    found: dict[str, dict[str, Any]] = {}
    for claim in claims:
        row = found.setdefault(
            claim["engineer"],
            {
                "engineer": claim["engineer"],
                "last_activity": "",
                "active_claim_count": 0,
                "repos": set(),
                "claim_ids": [],
            },
        )
        seen = claim.get("last_activity") or claim["created_at"]
        row["last_activity"] = max(row["last_activity"], seen)
        row["active_claim_count"] += 1
        row["claim_ids"].append(claim["id"])
        if claim.get("repo"):
            row["repos"].add(claim["repo"])
    rows = [row for row in found.values() if now - datetime.fromisoformat(row["last_activity"]) >= age]
    return [
        {**row, "repos": sorted(row["repos"])} for row in sorted(rows, key=lambda row: row["last_activity"])
    ]
