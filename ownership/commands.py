"""What the commands ``promote``, ``demote`` and ``pin`` share."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from common.commands import DatabaseCommand, account
from common.errors import CoordError
from ownership.services import Promotion


class DocumentCommand(DatabaseCommand):
    """Edits one entry of the ownership document. Exit 1: refused, with the reason; 2: no database."""

    def add_arguments(self, parser: CommandParser) -> None:
        """The pattern, and who edits why."""
        parser.add_argument("pattern", help="as claims write it, for example 'src/routes/*.ts'")
        parser.add_argument("--reason", default="", help="why; kept with the revision")
        parser.add_argument("--author", default="", help="who; the account that runs this when left out")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Edit and tell."""
        author = options["author"].strip() or account()
        try:
            with self.working("Editing the ownership document"):
                promotion = self.edit(author, options)
        except CoordError as refusal:
            hint = f" {refusal.next}" if refusal.next else ""
            raise CommandError(f"{refusal.detail}{hint}") from refusal
        self._tell(promotion, options)

    def edit(self, author: str, options: dict[str, Any]) -> Promotion:
        """The edit of this command."""
        raise NotImplementedError

    def told(self, options: dict[str, Any]) -> str:
        """What was done, in words."""
        raise NotImplementedError

    def _tell(self, promotion: Promotion, options: dict[str, Any]) -> None:
        if options["json"]:
            answer = {
                "pattern": options["pattern"],
                "changed": promotion.changed,
                "document": promotion.text,
            }
            self.stdout.write(json.dumps(answer, sort_keys=True))
        else:
            self.stdout.write(self.told(options) if promotion.changed else "Nothing to change.")
