"""``coord demo``."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from common.commands import CoordCommand
from coordsite.demo import stage, story


class Command(CoordCommand):
    """Show the product at work: a real source tree, a service, two agents over MCP, a person with curl."""

    help = (
        "Show two agents and a person at work on a real source tree. Starts a service of its own; the agents"
        " come over MCP, the person with curl; they claim, collide, wait, extend and release. Leaves nothing"
        " behind."
    )
    examples = ("coord demo",)
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the story; exits 1 when the service does not answer as it should."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="coord-demo-") as name:
            place = Path(name)
            tree, files = stage.plant(place)
            self.stdout.write(f"A repository with {files} files is at {tree}")
            try:
                with stage.serving(place, tree, files) as on:
                    self.stdout.write(f"coord serves it at {on.url}")
                    asyncio.run(story.tell(on, self.stdout.write))
            except (RuntimeError, OSError) as error:
                raise CommandError(str(error)) from error
        took = time.monotonic() - started
        self.stdout.write(f"\nDone in {took:.0f} s. Next: coord start, then coord init in your repository.")
