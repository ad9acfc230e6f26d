"""``restore``: go back to a backup; fences and event numbers jump ahead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connection

from claims.services.restoring import leap_ahead
from common.commands import CoordCommand
from coordsite.backups import BadBackup, put_back
from coordsite.instance import InstanceTaken


class Command(CoordCommand):
    """Never while the service runs. Exit 1: nothing was changed."""

    help = "Put a backup back; fences and event numbers jump ahead of all that were ever given."
    examples = ("coord restore /backups/coord-monday.db", "coord restore --numbers-only")

    def add_arguments(self, parser: CommandParser) -> None:
        """The backup; or none, when PostgreSQL's tools have put it back."""
        parser.add_argument("file", nargs="?", type=Path, help="A file that `coord backup` wrote.")
        parser.add_argument(
            "--numbers-only",
            action="store_true",
            help="The data is back already (pg_restore): only let the numbers jump ahead.",
        )
        parser.add_argument("--json", action="store_true", help="Print the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Put back, migrate, leap."""
        given: Path | None = options["file"]
        if (given is None) == (not options["numbers_only"]):
            raise CommandError("Give a file, or --numbers-only after pg_restore.")
        with self.working("Restoring"):
            if given is not None:
                self._put_back(given.expanduser())
            call_command("migrate", interactive=False, verbosity=0)
            floor = leap_ahead()
        if options["json"]:
            self.stdout.write(json.dumps({"file": str(given) if given else None, "numbers_above": floor}))
        else:
            self.stdout.write(f"Restored. Fences and event numbers jumped ahead; new ones are above {floor}.")

    def _put_back(self, file: Path) -> None:
        if settings.COORD.database_url:
            raise CommandError("Put the dump back with pg_restore, then run: coord restore --numbers-only")
        connection.close()
        try:
            put_back(file, Path(settings.COORD.database_path).expanduser())
        except (BadBackup, InstanceTaken, OSError) as error:
            raise CommandError(str(error)) from None
