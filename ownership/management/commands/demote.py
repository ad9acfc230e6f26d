"""``demote``: stop sharing a pattern."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from ownership import services
from ownership.commands import DocumentCommand
from ownership.services import Promotion


class Command(DocumentCommand):
    """Pinned entries only with ``--force``."""

    help = "Stop sharing a pattern: remove it from the ownership document."
    examples = (
        "coord demote 'package.json'",
        "coord demote 'src/routes/*.ts' --reason 'routes are generated now'",
        "coord demote go.sum --force --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """``--force`` as well."""
        super().add_arguments(parser)
        parser.add_argument("--force", action="store_true", help="also when the entry is pinned")

    def edit(self, author: str, options: dict[str, Any]) -> Promotion:
        """Remove the entry."""
        return services.demote(
            pattern=options["pattern"], author=author, reason=options["reason"], force=options["force"]
        )

    def told(self, options: dict[str, Any]) -> str:
        """What was done."""
        return f"Removed '{options['pattern']}' from shared_files."
