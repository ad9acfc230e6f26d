"""``coord ci``: may this range of commits land?"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.bridge.environment import resolve
from coordsite.kit import ci
from coordsite.kit.gitread import GitFailed
from coordsite.kit.rendering import render

UNREACHABLE = 2


class Command(ClientCommand):
    """Asks the service about the changed files, annotates those that others hold."""

    help = "Say whether the files that a range of commits changes may land: the gate of a CI pipeline."
    examples = (
        "coord ci --base origin/main --head HEAD",
        "coord ci --base origin/main --head HEAD --engineer alice --json",
        "coord ci --base origin/main --head HEAD --on-unreachable warn",
        "coord ci --template github > .github/workflows/coord.yml",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The range, whose it is, how to answer."""
        parser.add_argument("--base", metavar="REF", help="where the range begins (the CI system's own)")
        parser.add_argument("--head", metavar="REF", help="where the range ends (the CI system's own)")
        parser.add_argument("--repo", metavar="ID", help="the repository (COORD_REPO_ID, else of the remote)")
        parser.add_argument(
            "--engineer",
            action="append",
            metavar="NAME",
            help="whose change it is; repeat for several (COORD_USER, else the commits' authors)",
        )
        parser.add_argument(
            "--session", action="append", metavar="ID", help="a session that made it; repeat for several"
        )
        parser.add_argument(
            "--claim",
            action="append",
            metavar="ID:FENCE",
            help="a claim it was made under; repeatable",
        )
        parser.add_argument(
            "--on-unreachable",
            choices=["block", "warn"],
            default="block",
            help="without a verdict: exit 2 (block, the default) or warn and exit 0",
        )
        parser.add_argument(
            "--format",
            choices=["auto", "github", "gitlab", "plain"],
            default="auto",
            help="how to annotate (that of the CI system it runs in)",
        )
        parser.add_argument("--output", metavar="FILE", help="write GitLab's code quality report there")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
        parser.add_argument("--template", choices=["github", "gitlab"], help="print a ready pipeline")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0: all may land; 1: something is held or stale; 2: no verdict."""
        if options["template"]:
            self.stdout.write(render(f"ci/{options['template']}.yml"), ending="")
            return
        remote = self.remote(options)
        asked = ci.Range(options["base"] or "", options["head"] or "", [], (), ())
        fault, findings = "", []
        try:
            asked = self.range(options)
            with self.working("Asking the service"):
                verdict = ci.judge(
                    remote, asked, self.engineers(options, asked), tuple(options["session"] or ())
                )
            fault, findings = verdict.fault, ci.findings_of(verdict)
        except GitFailed as error:
            fault = str(error)
        self.tell(options, asked, remote.repo, findings, fault)
        if fault and options["on_unreachable"] == "block":
            sys.exit(UNREACHABLE)
        if findings:
            sys.exit(1)

    def remote(self, options: dict[str, Any]) -> ci.Remote:
        """Whom to ask, about which repository."""
        settings = resolve(os.environ, os.getcwd())
        repo = options["repo"] or ci.repository_name(os.environ, settings, os.getcwd())
        return ci.Remote(settings.api_url, settings.token or "", repo)

    def range(self, options: dict[str, Any]) -> ci.Range:
        """The commits in question. Raises ``GitFailed``, and ``CommandError`` (2) when none are named."""
        named = ci.event_range(os.environ)
        base, head = options["base"] or named[0], options["head"] or named[1] or "HEAD"
        if not base:
            raise CommandError("Name the range: --base REF --head REF", returncode=UNREACHABLE)
        try:
            fences = tuple(ci.fence_of(text) for text in options["claim"] or ())
        except ValueError as error:
            raise CommandError(f"--claim {error}", returncode=UNREACHABLE) from None
        asked = ci.range_of(os.getcwd(), base, head)
        return asked._replace(fences=(*asked.fences, *fences))

    def engineers(self, options: dict[str, Any], asked: ci.Range) -> tuple[str, ...]:
        """Whose the change is."""
        if options["engineer"]:
            return tuple(options["engineer"])
        identity = resolve(os.environ, os.getcwd()).identity
        return (identity,) if identity else asked.authors

    def tell(
        self, options: dict[str, Any], asked: ci.Range, repo: str, findings: list[ci.Finding], fault: str
    ) -> None:
        """Print the outcome in the CI system's way; write the report where one is wanted."""
        if options["output"]:
            Path(options["output"]).write_text(json.dumps(ci.code_quality(findings), indent=2) + "\n")
        if options["json"]:
            self.stdout.write(json.dumps(ci.as_json(asked, repo, findings, fault)))
            return
        annotates = options["format"] == "github" or (
            options["format"] == "auto" and os.environ.get("GITHUB_ACTIONS") == "true"
        )
        for finding in findings:
            self.stdout.write(ci.github(finding) if annotates else f"coord: {finding.why}")
        if fault:
            level = "error" if options["on_unreachable"] == "block" else "warning"
            text = f"coord: no verdict: {fault}"
            self.stdout.write(f"::{level} title=coord::{text}" if annotates else text)
        elif not findings:
            count = len(asked.paths)
            files = f"{count} changed files, none of them" if count != 1 else "1 changed file, not"
            self.stdout.write(f"coord: {files} held by others.")
        else:
            self.stdout.write("Next: wait for the holders, or ask them to release; then run this job again.")
