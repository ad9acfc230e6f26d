"""``pin``: share a pattern for good."""

from __future__ import annotations

from typing import Any

from ownership import services
from ownership.commands import DocumentCommand
from ownership.services import Promotion


class Command(DocumentCommand):
    """The entry is added when it is not there yet."""

    help = "Share a pattern for good: auto-demotion leaves it."
    examples = (
        "coord pin 'go.sum'",
        "coord pin 'locales/**' --reason 'every feature adds texts' --json",
    )

    def edit(self, author: str, options: dict[str, Any]) -> Promotion:
        """Mark the entry."""
        return services.pin(pattern=options["pattern"], author=author, reason=options["reason"])

    def told(self, options: dict[str, Any]) -> str:
        """What was done."""
        return f"Pinned '{options['pattern']}' in shared_files."
