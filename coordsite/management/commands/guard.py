"""``coord guard``: git's hooks of this repository, alone."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.kit import githooks, guards
from coordsite.kit.changes import Change, apply
from coordsite.kit.sites import Site, site_of


class Command(ClientCommand):
    """Puts the guards where git looks, takes them away, says whether they stand, runs them by hand."""

    help = "Install, remove, show or try git's pre-commit and pre-push guards."
    examples = (
        "coord guard status",
        "coord guard install",
        "coord guard pre-commit",
        "coord guard pre-push origin --json",
        "coord guard remove",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One subcommand each."""
        actions = parser.add_subparsers(dest="action", required=True, title="actions")
        for name, text in (
            ("status", "say for each hook whether it is installed, missing or the project's own"),
            ("install", "put the guards where git looks; hooks that stand there run first"),
            ("remove", "take the guards away; hooks that stood there come back"),
            ("pre-commit", "check what is staged, as git's hook does"),
            ("pre-push", "check what a push of this branch would carry"),
        ):
            action = actions.add_parser(name, help=text)
            action.add_argument("--json", action="store_true", help="print JSON")
            if name == "pre-push":
                where = "where it would be pushed (origin)"
                action.add_argument("remote", nargs="?", default="origin", help=where)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1: a guard refuses, stands not, or cannot be installed."""
        action = options["action"]
        site = site_of(os.getcwd())
        if site is None:
            raise CommandError("this repository is not initialised; run `coord init` first")
        if action in githooks.NAMES:
            self.try_out(action, options)
            return
        if action == "status":
            self.tell(options, [(name, githooks.standing(site, name)) for name in githooks.NAMES])
            return
        changes = githooks.plan(site) if action == "install" else githooks.removal(site)
        kinds = [(self.shown(site, change), change.refused or str(change.kind)) for change in changes]
        apply(changes)
        self.tell(options, kinds)
        if any(change.refused for change in changes):
            sys.exit(1)

    def try_out(self, name: str, options: dict[str, Any]) -> None:
        """What git's hook would find now, and its exit code."""
        with self.working("Asking the service"):
            outcome = guards.look(name, [options["remote"]] if name == "pre-push" else [])
        if options["json"]:
            self.stdout.write(json.dumps(outcome.as_json()))
            sys.exit(int(outcome.blocks))
        sys.exit(guards.told(name, outcome))

    def shown(self, site: Site, change: Change) -> str:
        """A file's path as people read it."""
        return os.path.relpath(change.path, site.repository.top)

    def tell(self, options: dict[str, Any], rows: list[tuple[str, str]]) -> None:
        """One line a file or hook, or a JSON object."""
        if options["json"]:
            self.stdout.write(json.dumps(dict(rows)))
            return
        for name, state in rows:
            self.stdout.write(f"{state:<10} {name}")
