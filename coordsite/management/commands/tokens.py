"""``tokens create|list|rotate|revoke``: personal tokens, over the service's own database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from common.commands import DatabaseCommand, operator
from common.errors import CoordError
from coordsite.models import Token
from coordsite.tokens import presenters, selectors, services
from coordsite.tokens.durations import BadDuration, parse_duration
from coordsite.tokens.services import NewToken

MOST_ROWS = 1000
Shown = tuple[Any, str]


class Command(DatabaseCommand):
    """Works whether the service runs or not. Exit 1: refused; 2: no database of a service here."""

    help = "Make, list, rotate and revoke personal tokens."
    examples = (
        "coord tokens create alice --repo acme/app",
        "coord tokens create pipeline --role ci --json",
        "coord tokens list",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand each, all with ``--json``."""
        commands = parser.add_subparsers(dest="action", required=True, title="actions")
        create = commands.add_parser("create", help="Make a token; it is printed this once.")
        create.add_argument("engineer", help="Whose token it is.")
        create.add_argument(
            "--role", choices=Token.Role.values, default="agent", help="What it is for (agent)."
        )
        create.add_argument(
            "--repo",
            action="append",
            default=[],
            metavar="OWNER/NAME",
            help="Limit it to this; may be repeated.",
        )
        create.add_argument("--description", default="", help="What it is used for.")
        _expiry(create, "Lives so long (90m, 24h, 30d, 12w); else until revoked.")
        show = commands.add_parser("list", help="The tokens, newest first.")
        show.add_argument("--engineer", default="", help="Only this engineer's.")
        show.add_argument("--include-revoked", action="store_true", help="Revoked ones too.")
        rotate = commands.add_parser("rotate", help="Replace a token; the new one is printed this once.")
        _identifier(rotate)
        rotate.add_argument(
            "--grace", default="24h", metavar="DURATION", help="The old one works so long (24h)."
        )
        _expiry(rotate, "The new one lives so long; else as long as the old one was made to.")
        _identifier(commands.add_parser("revoke", help="End a token at once; its row stays."))
        for command in commands.choices.values():
            command.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the action."""
        try:
            with self.working("Asking the database"):
                result, text = getattr(self, f"_{options['action']}")(options)
        except BadDuration as error:
            raise CommandError(str(error), returncode=1) from None
        except CoordError as error:
            hint = f"\n{error.next}" if error.next else ""
            raise CommandError(f"{error.detail}{hint}", returncode=1) from None
        self.stdout.write(json.dumps(result) if options["json"] else text)

    def _create(self, options: dict[str, Any]) -> Shown:
        new = services.create_token(
            caller=operator(),
            engineer=options["engineer"],
            role=options["role"],
            repositories=options["repo"],
            description=options["description"],
            expires_in=_duration(options["expires_in"]),
        )
        return presenters.new_token_row(new), _made(new)

    def _list(self, options: dict[str, Any]) -> Shown:
        page = selectors.list_tokens(
            engineer=options["engineer"], include_revoked=options["include_revoked"], limit=MOST_ROWS
        )
        rows = [presenters.token_row(token) for token in page.tokens]
        lines = [
            f"{row['id'][:8]}  {row['prefix']}…  {row['status']:<10}  {row['role']:<8}  {row['engineer']}"
            f"  {','.join(row['repositories']) or '(all repositories)'}"
            f"  expires={row['expires_at'] or 'never'}  used={row['last_used_at'] or 'never'}"
            + (f"  {row['description']}" if row["description"] else "")
            for row in rows
        ]
        return {"tokens": rows, "count": len(rows)}, "\n".join(lines) or "No tokens."

    def _rotate(self, options: dict[str, Any]) -> Shown:
        new = services.rotate_token(
            caller=operator(),
            token_id=options["id"],
            grace=parse_duration(options["grace"], zero=True),
            expires_in=_duration(options["expires_in"]),
        )
        until = presenters.token_row(new.token.rotated_from or new.token)["rotation_grace_until"]
        return presenters.new_token_row(new), f"{_made(new)}\nThe old one works until {until}."

    def _revoke(self, options: dict[str, Any]) -> Shown:
        token = services.revoke_token(caller=operator(), token_id=options["id"])
        return presenters.token_row(token), f"Revoked: {token.id} ({token.prefix}… of {token.engineer})"


def _expiry(parser: ArgumentParser, text: str) -> None:
    parser.add_argument("--expires-in", metavar="DURATION", help=text)


def _identifier(parser: ArgumentParser) -> None:
    parser.add_argument("id", help="The token's id, or its first 8 characters or more.")


def _duration(text: str | None) -> timedelta | None:
    return None if text is None else parse_duration(text)


def _made(new: NewToken) -> str:
    limits = ", ".join(new.token.repositories) or "every repository"
    token = new.token
    return f"{new.raw}\nToken {token.id} of {token.engineer} ({token.role}, {limits}). It is not shown again."
