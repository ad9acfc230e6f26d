"""``coord init``: wire a repository so that every agent in it is coordinated."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.commands import ClientCommand
from coordsite.kit.initialising import Asked, Outcome, initialise
from coordsite.kit.payloads import TOOLS
from coordsite.kit.sites import NotHere
from coordsite.kit.wiring import CI_FILES, diff


def report(command: BaseCommand, outcome: Outcome, *, as_json: bool, dry_run: bool) -> None:
    """Print what was done (or would be): one line a file, then warnings on standard error."""
    base = outcome.site.repository.top
    if as_json:
        command.stdout.write(json.dumps({**outcome.as_json(), "dry_run": dry_run}, indent=2))
    else:
        if dry_run:
            for change in outcome.changes:
                if change.kind in ("created", "updated"):
                    command.stdout.write(diff(change, base), ending="")
        for change, kind in zip(outcome.changes, outcome.kinds, strict=True):
            note = f"  {change.refused}" if change.refused else ""
            command.stdout.write(f"{kind:<10} {os.path.relpath(change.path, base)}{note}")
        for text in outcome.warnings:
            command.stderr.write(f"warning: {text}")
    if outcome.refused:
        sys.exit(1)


class Command(ClientCommand):
    """Translates flags and prompts into :func:`coordsite.kit.initialising.initialise`."""

    help = "Wire this repository: MCP server, hooks, guards and the text for agents."
    examples = (
        "coord init --yes",
        "coord init --tool claude --tool cursor --yes",
        "coord init --mode remote --service-url https://coord.acme.dev --yes",
        "coord init --root apps/web --dry-run",
        "coord init --ci github --yes",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tool", action="append", choices=TOOLS, help="a tool to wire; repeat for several"
        )
        parser.add_argument("--mode", choices=["local", "remote"], help="where the service runs")
        parser.add_argument("--service-url", metavar="URL", help="the service; needed for --mode remote")
        parser.add_argument("--yes", action="store_true", help="ask nothing; take the defaults")
        parser.add_argument("--no-hook", action="store_true", help="leave git's hooks alone")
        parser.add_argument("--no-owners", action="store_true", help="write no owners.yaml")
        parser.add_argument("--force", action="store_true", help="renew owners.yaml and the token")
        parser.add_argument("--root", metavar="PATH", help="wire a directory inside the repository")
        parser.add_argument("--ci", choices=list(CI_FILES), help="write a pipeline that runs `coord ci`")
        parser.add_argument("--dry-run", action="store_true", help="show the changes, write nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Wire the repository around the working directory. Exit 1 when that fails or a file is refused."""
        tools, mode, url = tuple(options["tool"] or ()), options["mode"], options["service_url"]
        if not options["yes"] and not options["json"] and sys.stdin.isatty():
            tools, mode, url = self._ask(tools, mode, url)
        asked = Asked(
            tools=tools,
            mode=mode,
            service_url=url,
            hooks=not options["no_hook"],
            owners=not options["no_owners"],
            force=options["force"],
            root=options["root"],
            ci=options["ci"],
        )
        try:
            with self.working("Looking at the repository and the service"):
                outcome = initialise(os.getcwd(), asked, dry_run=options["dry_run"])
        except NotHere as error:
            raise CommandError(str(error), returncode=1) from None
        report(self, outcome, as_json=options["json"], dry_run=options["dry_run"])
        if not options["json"] and not options["dry_run"]:
            if options["ci"] == "gitlab":
                self.stdout.write("In .gitlab-ci.yml: include: [{local: .gitlab/coord.yml}]")
            self.stdout.write("Next: commit the tracked files, then run `coord doctor`.")

    def _ask(self, tools: tuple[str, ...], mode: str | None, url: str | None) -> Any:
        if not tools:
            answer = input(f"Tools ({', '.join(TOOLS)}; several with commas) [claude]: ")
            named = tuple(name.strip().lower() for name in answer.split(",") if name.strip())
            tools = named if named and all(name in TOOLS for name in named) else ("claude",)
        if mode is None:
            mode = (
                "remote"
                if input("Service (local, remote) [local]: ").strip().lower() == "remote"
                else "local"
            )
        if mode == "remote" and not url:
            url = input("Service URL: ").strip() or None
        return tools, mode, url
