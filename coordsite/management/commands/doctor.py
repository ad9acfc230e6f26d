"""``coord doctor``: is this repository really coordinated?"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.cli import installed_version
from coordsite.kit.doctor.diagnosis import Diagnosis, diagnose, repair
from coordsite.kit.sites import NotHere

LABELS = {"ok": "OK", "warn": "WARN", "fail": "FAIL"}


class Command(ClientCommand):
    """One line a check, one command a fault, and what truly happens to a file that somebody holds."""

    help = "Check wiring, service, token and identity; try each hook; say what is really protected."
    examples = ("coord doctor", "coord doctor --fix", "coord doctor --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do about it, how to answer."""
        parser.add_argument("--fix", action="store_true", help="apply the repairs that are safe, check again")
        parser.add_argument("--quick", action="store_true", help="look only: fire no test events")
        parser.add_argument("--json", action="store_true", help="print the diagnosis as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when anything fails."""
        here = os.getcwd()
        fixed: list[str] = []
        with self.working("Checking"):
            found = diagnose(here, installed_version(), trials=not options["quick"])
            if options["fix"]:
                try:
                    fixed = repair(here, found)
                except (NotHere, OSError) as error:
                    raise CommandError(f"not repaired: {error}", returncode=1) from None
                if fixed:
                    found = diagnose(here, installed_version(), trials=not options["quick"])
        if options["json"]:
            self.stdout.write(json.dumps({**found.as_json(), "fixed": fixed}, indent=2))
        else:
            self.show(found, fixed)
        if found.broken:
            sys.exit(1)

    def show(self, found: Diagnosis, fixed: list[str]) -> None:
        """The diagnosis for people."""
        for text in fixed:
            self.stdout.write(f"FIXED {text}")
        for check in found.checks:
            self.stdout.write(f"{LABELS[check.level]:<5} {check.text}")
            if check.level != "ok" and check.mend:
                self.stdout.write(f"        {check.mend}")
        if found.protection:
            self.stdout.write("\nWhat happens to a file that somebody else holds:")
        for tool, levels in found.protection.items():
            self.stdout.write(f"  {tool:<8} {', '.join(levels)}")
