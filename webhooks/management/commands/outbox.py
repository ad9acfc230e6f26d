"""``outbox stats|tail|retry|purge``: look at webhook deliveries and correct them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError, CommandParser

from common import clock
from common.commands import DatabaseCommand, operator
from webhooks import selectors, services
from webhooks.models import OPEN_STATES, Delivery

MOST_ROWS = 10_000
MOST_HOURS = 24 * 3650

RETRY = {"failed": ("failed",), "exhausted": ("exhausted",), "all": ("failed", "exhausted")}
PURGE = {
    "delivered": ("delivered",),
    "exhausted": ("exhausted",),
    "all_terminal": ("delivered", "exhausted"),
}


class Command(DatabaseCommand):
    """Works on the service's database, whether the service runs or not. Exit 1: bad use; 2: no database."""

    help = "Look at webhook deliveries (stats, tail) and correct them (retry, purge)."
    examples = (
        "coord outbox stats --hours 1",
        "coord outbox tail -n 5 --json",
        "coord outbox retry --exhausted --dry-run",
        "coord outbox purge --delivered",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand each, all with ``--json``."""
        commands = parser.add_subparsers(dest="action", required=True, title="actions")
        stats = commands.add_parser("stats", help="Deliveries by event type and state.")
        stats.add_argument("--hours", type=float, default=24, help="Look back so far (24).")
        tail = commands.add_parser("tail", help="The newest deliveries, oldest first.")
        tail.add_argument("-n", type=int, default=20, dest="count", help="So many (20).")
        retry = commands.add_parser("retry", help="Send again what failed, with all attempts.")
        _choice(retry, RETRY, "failed")
        purge = commands.add_parser("purge", help="Delete deliveries that are over; events stay.")
        _choice(purge, PURGE, "delivered")
        for command in (stats, tail, retry, purge):
            command.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the action."""
        with self.working("Asking the database"):
            result, text = getattr(self, f"_{options['action']}")(options)
        self.stdout.write(json.dumps(result, sort_keys=True) if options["json"] else text)

    def _stats(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        hours = options["hours"]
        if not 0 < hours <= MOST_HOURS:
            raise CommandError(f"--hours must be more than 0 and at most {MOST_HOURS}")
        stats = selectors.outbox_stats(hours=hours)
        lines = [f"{'event':<28}" + "".join(f"{state:>11}" for state in sorted(Delivery.Status.values))]
        lines += [
            f"{event:<28}" + "".join(f"{states[state]:>11}" for state in sorted(states))
            for event, states in stats.items()
        ]
        return {"stats": stats, "window_hours": hours}, "\n".join(lines) if stats else "No deliveries."

    def _tail(self, options: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        if not 0 < options["count"] <= MOST_ROWS:
            raise CommandError(f"-n must be at least 1 and at most {MOST_ROWS}")
        rows = [_row(row) for row in selectors.outbox_tail(count=options["count"])]
        lines = [
            f"{row['id']}  {row['status']:<9}  {row['event_type']}  {row['created_at']}"
            f"  retries={row['retry_count']}" + (f"  {row['last_error']}" if row["last_error"] else "")
            for row in rows
        ]
        return rows, "\n".join(lines) or "No deliveries."

    def _retry(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        statuses, dry_run = _chosen(options, RETRY, "failed"), options["dry_run"]
        count = services.retry_deliveries(caller=operator(), statuses=statuses, dry_run=dry_run)
        verb = "Would return" if dry_run else "Returned"
        return (
            {"count": count, "statuses": list(statuses), "dry_run": dry_run},
            f"{verb} {count} deliveries ({', '.join(statuses)}) to pending.",
        )

    def _purge(self, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
        statuses, dry_run = _chosen(options, PURGE, "delivered"), options["dry_run"]
        count = services.purge_deliveries(caller=operator(), statuses=statuses, dry_run=dry_run)
        verb = "Would delete" if dry_run else "Deleted"
        return (
            {"count": count, "statuses": list(statuses), "dry_run": dry_run},
            f"{verb} {count} deliveries ({', '.join(statuses)}).",
        )


def _choice(parser: ArgumentParser, choices: dict[str, tuple[str, ...]], usual: str) -> None:
    for name, statuses in choices.items():
        text = f"{' and '.join(statuses)} rows" + (" (the default)" if name == usual else "")
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", dest=name, help=text)
    parser.add_argument("--dry-run", action="store_true", help="Count only.")


def _chosen(options: dict[str, Any], choices: dict[str, tuple[str, ...]], usual: str) -> tuple[str, ...]:
    given = [name for name in choices if options[name]]
    if len(given) > 1:
        raise CommandError(f"Give one of {', '.join('--' + name.replace('_', '-') for name in choices)}")
    return choices[given[0] if given else usual]


def _row(row: Delivery) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "status": row.status,
        "event_type": row.event.event_type,
        "created_at": clock.iso(row.created_at),
        "event_age_seconds": max(0, int((clock.now() - row.event.created_at).total_seconds())),
        "retry_count": row.retry_count,
        "next_attempt_at": clock.iso(row.next_attempt_at) if row.status in OPEN_STATES else None,
        "last_error": row.last_error,
    }
