"""``coord configdocs``: write the documents of the settings anew."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite import configdocs


class Command(ClientCommand):
    """For the source tree: run it after a setting was added or changed."""

    help = "Write docs/configuration.md and .env.example from the settings."
    examples = ("coord configdocs", "coord configdocs --check")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only look, where."""
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when they differ")
        parser.add_argument(
            "--root", metavar="PATH", default=".", help="the source tree (default: the working directory)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write, or compare; exit code 1 when ``--check`` finds a difference."""
        root = Path(options["root"])
        stale = configdocs.outdated(root)
        if options["check"]:
            if stale:
                raise CommandError(f"{' and '.join(stale)} out of date: run 'make settings'", returncode=1)
            return
        for name in stale:
            path = root / name
            if not path.parent.is_dir():
                raise CommandError(f"{root} is no source tree of coord: it has no {path.parent.name}/")
            path.write_text(configdocs.rendered()[name], encoding="utf-8")
            self.stdout.write(f"Wrote {path}")
