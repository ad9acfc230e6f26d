"""``coord demo``."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from argparse import ArgumentParser
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
    examples = ("coord demo", "coord demo --json")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to tell it."""
        parser.add_argument("--json", action="store_true", help="print the story as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the story; exits 1 when the service does not answer as it should."""
        told: list[str] = []
        say = told.append if options["json"] else self.stdout.write
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="coord-demo-") as name:
            place = Path(name)
            tree, files = stage.plant(place)
            say(f"A repository with {files} files is at {tree}")
            try:
                with stage.serving(place, tree, files) as on:
                    say(f"coord serves it at {on.url}")
                    asyncio.run(story.tell(on, say))
            except (RuntimeError, OSError) as error:
                raise CommandError(str(error)) from error
        took = time.monotonic() - started
        if options["json"]:
            lines = [line for text in told for line in text.splitlines() if line]
            self.stdout.write(json.dumps({"files": files, "seconds": round(took, 1), "story": lines}))
            return
        say(f"\nDone in {took:.0f} s. Next: coord start, then coord init in your repository.")
