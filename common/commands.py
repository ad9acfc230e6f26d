"""The base of coord's commands: examples in the help, Django's own options out of sight, progress."""

from __future__ import annotations

import getpass
import sys
import threading
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter
from django.db.utils import DatabaseError

from common.caller import Caller
from common.databases import MEMORY, has_tables

PATIENCE_S = 1.0


class _Formatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Django's order of options; the examples keep their lines."""


class CoordCommand(BaseCommand):
    """A command with ``examples`` below its options, one a line."""

    examples: ClassVar[tuple[str, ...]] = ()
    shows_progress = True
    suppressed_base_arguments = {
        "--version",
        "-v",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """The parser, with the examples below its options."""
        lines = "".join(f"  {example}\n" for example in self.examples)
        epilog = f"examples:\n{lines}" if lines else None
        return super().create_parser(
            prog_name, subcommand, **{"epilog": epilog, "formatter_class": _Formatter, **kwargs}
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; a program that reads JSON is shown no progress."""
        self.shows_progress = not options.get("json")
        return super().execute(*args, **options)

    def working(self, text: str) -> AbstractContextManager[None]:
        """:func:`working`, silent with ``--json``."""
        return working(text) if self.shows_progress else nullcontext()


class ClientCommand(CoordCommand):
    """A command that asks the service or works on files of the working directory. Needs no database."""

    requires_system_checks = []
    requires_migrations_checks = False


class DatabaseCommand(CoordCommand):
    """A command that works on the service's database. Makes none. Exit 2: there is none here, or it fails."""

    requires_system_checks = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, once there is something to work on."""
        need_database()
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}", returncode=2) from error


def need_database() -> None:
    """Raise ``CommandError`` (exit code 2) where no service has made its database yet."""
    database = settings.DATABASES["default"]
    name = str(database["NAME"])
    if not database["ENGINE"].endswith("sqlite3") or name.startswith(MEMORY) or has_tables(Path(name)):
        return
    raise CommandError(
        f"There is no service's database at {name}: run this where the service runs"
        " (with its COORD_HOME, COORD_DATABASE_PATH or COORD_DATABASE_URL)",
        returncode=2,
    )


def account() -> str:
    """Who runs the command, by the account's name; ``unknown`` where a number has none (a container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def operator() -> Caller:
    """Who runs the command, as a caller: whoever can write the database is an operator."""
    return Caller(kind="admin", name=f"{account()} (command line)", operator=True)


@contextmanager
def working(text: str, stream: TextIO | None = None) -> Iterator[None]:
    """Say on a terminal what takes so long, once it takes over a second; take it away when it is done.

    Prints nothing where standard error is no terminal.
    """
    out = stream or sys.stderr
    if not out.isatty():
        yield
        return
    said = threading.Event()

    def say() -> None:
        said.set()
        out.write(f"{text} …\r")  # a line that a child process logs meanwhile stands over it
        out.flush()

    timer = threading.Timer(PATIENCE_S, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if said.is_set():
            out.write("\r\033[K")
            out.flush()
