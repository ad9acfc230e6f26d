"""``backup``: a copy of the SQLite file, taken while the service runs."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from common.commands import DatabaseCommand
from coordsite.backups import back_up

POSTGRES = "PostgreSQL is backed up with its own tools: pg_dump --format=custom --file=coord.dump <database>"


class Command(DatabaseCommand):
    """One consistent moment; readers and writers go on. Exit 1: nothing was written; 2: no database here."""

    help = "Copy the SQLite database to a file while the service runs."
    examples = ("coord backup /backups/coord-monday.db", "coord backup --force latest.db")

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and whether something may be there already."""
        parser.add_argument("file", type=Path, help="The file to write.")
        parser.add_argument("--force", action="store_true", help="Replace the file if it exists.")
        parser.add_argument("--json", action="store_true", help="Print the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy."""
        if settings.COORD.database_url:
            raise CommandError(POSTGRES)
        database, target = Path(settings.COORD.database_path).expanduser(), options["file"].expanduser()
        if target.exists() and not options["force"]:
            raise CommandError(f"{target} exists; give another name, or --force")
        if not target.absolute().parent.is_dir():
            raise CommandError(f"{target.absolute().parent} is no directory; make it first")
        try:
            with self.working("Copying"):
                size = back_up(database, target)
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"{target}: {error}") from None
        outcome = {"file": str(target.absolute()), "bytes": size}
        self.stdout.write(json.dumps(outcome) if options["json"] else f"Wrote {target} ({size} bytes).")
