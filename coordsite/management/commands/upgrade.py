"""``coord upgrade``: renew what ``coord init`` laid into the repository."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.kit.initialising import upgrade
from coordsite.kit.sites import NotHere
from coordsite.management.commands.init import report


class Command(ClientCommand):
    """Translates flags into :func:`coordsite.kit.initialising.upgrade`."""

    help = "Renew hooks, guards, MCP entries and managed blocks; settings and owners.yaml stay."
    examples = ("coord upgrade", "coord upgrade --dry-run")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--root", metavar="PATH", help="a directory inside the repository that was wired")
        parser.add_argument("--dry-run", action="store_true", help="show the changes, write nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Renew the wiring. Exit 1 outside of an initialised repository, or when a file is refused."""
        try:
            with self.working("Looking at the repository and the service"):
                outcome = upgrade(os.getcwd(), options["root"], dry_run=options["dry_run"])
        except NotHere as error:
            raise CommandError(str(error), returncode=1) from None
        report(self, outcome, as_json=options["json"], dry_run=options["dry_run"])
