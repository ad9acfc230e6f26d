"""``coord demo``."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
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
        try:
            with ExitStack() as stack:
                files = self.play(stack, say)
        except (RuntimeError, OSError) as error:
            raise CommandError(str(error)) from error
        took = time.monotonic() - started
        if options["json"]:
            lines = [line for text in told for line in text.splitlines() if line]
            self.stdout.write(json.dumps({"files": files, "seconds": round(took, 1), "story": lines}))
            return
        say(f"\nDone in {took:.0f} s. Next: coord start, then coord init in your repository.")

    def play(self, stack: ExitStack, say: Callable[[str], None]) -> int:
        """Set the stage, tell the story; how many files the tree has."""
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coord-demo-")))
        with self.working("Laying out a source tree"):
            tree, files = stage.plant(place)
        say(f"A repository with {files} files is at {tree}")
        with self.working("Starting a service"):
            on = stack.enter_context(stage.serving(place, tree, files))
        say(f"coord serves it at {on.url}")
        asyncio.run(story.tell(on, say))
        return files
