"""``signin``: print a one-time link into the dashboard."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from common.commands import DatabaseCommand, operator
from common.errors import CoordError
from coordsite.bridge.environment import base_url
from coordsite.config import Config
from coordsite.home import home_of
from coordsite.signin import services


class Command(DatabaseCommand):
    """Works on the service's database. Exit 1: no such account; 2: no database of a service here."""

    help = "Print a one-time link that signs you in to the dashboard."
    examples = ("coord signin", "coord signin olga --url https://coord.acme.dev")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Into which account, and where the service is."""
        parser.add_argument("username", nargs="?", default=services.FIRST, help="The account (operator).")
        parser.add_argument("--url", help="Where the service is (COORD_PUBLIC_URL, else this machine).")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link."""
        config = settings.COORD
        base = options["url"] or config.public_url or url_here(config)
        caller = operator()
        try:
            with self.working("Making a link"):
                path = services.make_link(caller=caller, username=options["username"])
        except CoordError as error:
            raise CommandError(f"{error.detail}\n{error.next or ''}".strip(), returncode=1) from None
        url, minutes = base.rstrip("/") + path, config.signin_link_sec // 60
        if options["json"]:
            self.stdout.write(json.dumps({"url": url, "expires_in_s": config.signin_link_sec}))
        else:
            self.stdout.write(f"{url}\nWorks once, within {minutes} minutes.")


def url_here(config: Config) -> str:
    """Where the service of this machine listens: as its pid file says, else as it is configured."""
    return home_of(config).url() or base_url(config.host, config.port)
