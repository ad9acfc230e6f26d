"""``promote``: share a pattern, or suggest to split it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from ownership import services
from ownership.commands import DocumentCommand
from ownership.services import Promotion


class Command(DocumentCommand):
    """``shared_files``, or with ``--split`` ``suggested_splits``."""

    help = "Share a pattern in the ownership document, or suggest to split it."
    examples = (
        "coord promote 'package.json'",
        "coord promote 'src/routes/*.ts' --reason 'every feature adds a route'",
        "coord promote src/models.py --split --note 'one module per model' --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of a split as well."""
        super().add_arguments(parser)
        parser.add_argument("--split", action="store_true", help="suggest to split it instead of sharing it")
        parser.add_argument("--note", help="kept with the suggestion (with --split)")

    def edit(self, author: str, options: dict[str, Any]) -> Promotion:
        """Add the entry."""
        return services.promote(
            pattern=options["pattern"],
            action="split" if options["split"] else "shared_file",
            note=options["note"],
            author=author,
            reason=options["reason"],
        )

    def told(self, options: dict[str, Any]) -> str:
        """What was done."""
        listed = "suggested_splits" if options["split"] else "shared_files"
        return f"Added '{options['pattern']}' to {listed}."
