"""``coord import-reference``: take over from the reference service."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError, connection

from common.commands import DatabaseCommand
from coordsite.kit.service import clean
from coordsite.reference.importing import KINDS, Report, import_contents
from coordsite.reference.reading import NotReadable, read

PLURAL = {
    "claim": "claims",
    "request": "release requests",
    "ownership": "ownership documents",
    "delivery": "deliveries",
}


class Command(DatabaseCommand):
    """Live claims with their symbols, release requests, the ownership document, undelivered webhooks."""

    help = "Take over the live state of a coord-mcp-server database (SQLite)."
    examples = ("coord import-reference ~/.coord/data/coordination.db --dry-run",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what to do with it."""
        parser.add_argument("file", type=Path, help="the reference's database; it is only read")
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would be imported, change nothing"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report; exit code 1 for a file that is not the reference's."""
        try:
            with self.working(f"Reading {options['file']}"):
                contents = read(options["file"])
        except NotReadable as error:
            raise CommandError(str(error)) from None
        try:
            with self.working(f"Importing {contents.size} rows"):
                report = import_contents(contents, dry_run=options["dry_run"])
        except (OperationalError, ProgrammingError) as error:
            name = connection.settings_dict["NAME"]
            raise CommandError(
                f"{name}: {error}; make the tables with `coord migrate`, or name the service's database"
                " with COORD_DATABASE_PATH or COORD_DATABASE_URL"
            ) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            self._tell(report)

    def _tell(self, report: Report) -> None:
        did = "Would import" if report.dry_run else "Imported"
        for kind in KINDS:
            known = f" ({report.known[kind]} known already)" if report.known[kind] else ""
            self.stdout.write(f"{did} {report.imported[kind]} {PLURAL[kind]}{known}.")
        if report.skipped:
            self.stdout.write(f"{len(report.skipped)} stay behind:")
        for one in report.skipped:
            self.stdout.write(f"  {one.kind} {clean(one.what, 120)} ({one.id}): {clean(one.reason, 400)}")
