"""``coord mcp install``: the MCP server's entry in a tool's settings."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.kit import mcpinstall
from coordsite.kit.changes import apply
from coordsite.kit.places import repository_of
from coordsite.kit.wiring import diff


class Command(ClientCommand):
    """Only the MCP entry; ``coord init`` wires hooks and guards as well."""

    help = "Put coord's MCP server into a tool's settings."
    examples = (
        "coord mcp install",
        "coord mcp install --tool claude-code --tool cursor",
        "coord mcp install --all --dry-run",
        "coord mcp install --tool claude-desktop --json",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One subcommand."""
        actions = parser.add_subparsers(dest="action", required=True, title="actions")
        install = actions.add_parser("install", help="add or renew the entry; everything else stays")
        which = install.add_mutually_exclusive_group()
        which.add_argument(
            "--tool",
            action="append",
            choices=mcpinstall.TOOLS,
            help="a tool; repeat for several (those in use here)",
        )
        which.add_argument("--all", action="store_true", help="every tool")
        install.add_argument("--root", metavar="PATH", help="the project (the enclosing repository)")
        install.add_argument("--dry-run", action="store_true", help="show the changes, write nothing")
        install.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when no tool is in use here, or a file cannot be understood."""
        root = self.root(options["root"])
        tools = list(mcpinstall.TOOLS) if options["all"] else options["tool"] or mcpinstall.detected(root)
        if not tools:
            raise CommandError("No tool is in use here; name one: --tool claude-code")
        changes = mcpinstall.plan(root, list(dict.fromkeys(tools)))
        kinds = [str(change.kind) for change in changes]
        if not options["dry_run"]:
            apply(changes)
        if options["json"]:
            rows = [
                {"path": change.path, "kind": kind, "note": change.refused or None}
                for change, kind in zip(changes, kinds, strict=True)
            ]
            self.stdout.write(json.dumps({"root": root, "changes": rows, "dry_run": options["dry_run"]}))
        else:
            for change, kind in zip(changes, kinds, strict=True):
                if options["dry_run"] and kind in ("created", "updated"):
                    self.stdout.write(diff(change, root), ending="")
                note = f"  {change.refused}" if change.refused else ""
                self.stdout.write(f"{kind:<10} {change.path}{note}")
        if any(change.refused for change in changes):
            sys.exit(1)

    def root(self, given: str | None) -> str:
        """The project's directory. Raises ``CommandError`` (1)."""
        place = os.path.realpath(given or os.getcwd())
        if not os.path.isdir(place):
            raise CommandError(f"--root {given}: no such directory")
        repository = None if given else repository_of(place)
        return repository.top if repository else place
