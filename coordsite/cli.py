"""The entry points ``coord`` and ``coord-api``.

Commands that are clients of the service (or only start it) run without Django's set-up: they need no
database and answer at once. All others are Django's management commands.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from coordsite.misconfigured import ConfigError, NoAuthentication

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand

COMMANDS = "coordsite.management.commands"
APPS = ("coordsite", "claims", "ownership", "queueing", "webhooks")
"""The packages that may bring commands, this one first."""
DIRECT = frozenset(
    {
        "start",
        "stop",
        "demo",
        "status",
        "claims",
        "release",
        "engineers",
        "init",
        "upgrade",
        "doctor",
        "guard",
        "ci",
        "mcp",
        "completions",
        "configdocs",
    }
)
"""Commands that run without Django's set-up."""
WITHOUT_NOTICE = frozenset({"start", "init", "upgrade", "doctor", "ci", "completions", "configdocs"})
"""Commands after which nothing is said about a newer service."""

BY_USE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Run the service", ("start", "stop", "status", "demo")),
    ("Look and act", ("claims", "release", "engineers", "outbox")),
    ("Wire a repository", ("init", "upgrade", "doctor", "guard", "ci", "mcp", "completions")),
    (
        "Operate",
        (
            "tokens",
            "signin",
            "promote",
            "demote",
            "pin",
            "backup",
            "restore",
            "migrate",
            "import-reference",
            "createsuperuser",
            "check",
            "configdocs",
        ),
    ),
)
DJANGOS = {
    "migrate": "Bring the database to this version's schema.",
    "createsuperuser": "Make an account for the dashboard.",
    "check": "Check the configuration.",
}
"""Commands of Django that are part of coord's own."""
ON_DATA = frozenset(
    {"createsuperuser", "changepassword", "dumpdata", "loaddata", "dbshell", "showmigrations"}
)
"""Commands of Django that work on the database that is there; they would make an empty one."""


def main(arguments: list[str] | None = None) -> int:
    """``coord``: the exit code. 2: no such command; 1: a wrong setting."""
    ready_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name == "--version":
        print(f"coord {installed_version()}")
        return 0
    if name in ("", "help", "-h", "--help") and not rest:
        return guarded(lambda: overview(sys.stdout, 0) if name else overview(sys.stderr, 2))
    if name == "help":
        name, rest = rest[0], ["--help"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
    try:
        place = os.getcwd()
    except OSError:
        print("coord: the working directory is gone; change into one that exists", file=sys.stderr)
        return 1
    code = guarded(lambda: direct(name, rest) if name in DIRECT else managed(name, rest))
    if name not in WITHOUT_NOTICE:
        from coordsite.kit.notice import update_notice

        if notice := update_notice(installed_version, place):
            print(notice, file=sys.stderr)
    return code


def api() -> int:
    """``coord-api``: the web process alone, with the settings of the environment. 3: authentication unset."""

    def run() -> int:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
        from coordsite.config import load, require_authentication
        from coordsite.keys import signing_key

        config = load()
        require_authentication(config)
        os.environ["COORD_SECRET_KEY"] = signing_key(config, create=True)
        os.environ.pop("COORD_SECRET_KEY_FILE", None)
        from coordsite.server import main as serve

        return serve()

    return guarded(run)


def ready_streams() -> None:
    """Output that is closed goes nowhere; what its encoding lacks is escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  (as long as the process)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def guarded(run: Callable[[], int]) -> int:
    """Run, and turn what a person can put right into one line and an exit code."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except NoAuthentication as error:
        print(f"coord: {error}", file=sys.stderr)
        return 3
    except ConfigError as error:
        print(f"coord: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        drop_output()  # whoever read it has had enough
        return 141
    except OSError as error:
        print(f"coord: {error}", file=sys.stderr)
        drop_output()
        return 1


def drop_output() -> None:
    """What cannot be written any more is not tried again when the process exits."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def direct(name: str, arguments: list[str]) -> int:
    """Run one of this package's commands without Django's set-up."""
    try:
        module = importlib.import_module(f"{COMMANDS}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{COMMANDS}.{name}":
            raise
        return unknown(name)
    return run(module.Command(), name, arguments)


def run(command: BaseCommand, name: str, arguments: list[str]) -> int:
    """Run one of coord's commands: what it refuses is one line and its exit code."""
    from django.core.management.base import CommandError

    command._called_from_command_line = True  # type: ignore[attr-defined]  # wrong flags: usage, exit code 2
    parser = command.create_parser("coord", name)
    options = vars(parser.parse_args(arguments))
    positional = options.pop("args", ())
    try:
        command.execute(*positional, **options)
    except CommandError as error:
        if str(error):
            print(f"coord: {error}", file=sys.stderr)
        return error.returncode
    return 0


def managed(name: str, arguments: list[str]) -> int:
    """Run a management command of Django or of an installed app."""
    import django
    from django.core.management import get_commands, load_command_class

    from common.commands import working

    with nullcontext() if "--json" in arguments else working("Loading"):
        use_home()
        django.setup()
        apps = get_commands()
    if name not in apps:
        return unknown(name)
    if name in own_commands():
        return run(load_command_class(apps[name], name), name, arguments)
    return djangos(name, arguments)


def djangos(name: str, arguments: list[str]) -> int:
    """Run a command of Django's: ``migrate`` makes the database, the others work on one that is there."""
    from django.conf import settings
    from django.core.management import CommandError, ManagementUtility
    from django.db import DatabaseError

    from common.commands import need_database
    from common.databases import make_place

    try:
        if name == "migrate" and not settings.COORD.database_url:
            make_place(Path(settings.COORD.database_path))
        elif name in ON_DATA and not {"-h", "--help"} & set(arguments):
            need_database()
        ManagementUtility(["coord", name, *arguments]).execute()
    except (CommandError, DatabaseError) as error:
        print(f"coord: {str(error).strip()}", file=sys.stderr)
        return 2
    return 0


def use_home() -> None:
    """Let the command work on the database that ``coord start`` made, when nothing names another, and with
    the key that it made, when there is no other: the cluster drops tasks that another key signed.
    """
    from common.databases import has_tables
    from coordsite.config import Config, load
    from coordsite.home import home_of
    from coordsite.keys import kept_secret

    config = load()
    home = home_of(config)
    if not config.database_url and not os.environ.get("COORD_DATABASE_PATH"):
        usual = Path(str(Config.model_fields["database_path"].default))
        if not has_tables(home.database) or (has_tables(usual) and not usual.samefile(home.database)):
            return
        os.environ["COORD_DATABASE_PATH"] = str(home.database)
    needless = config.secret_key.get_secret_value() or (load().state_directory / "secret_key").exists()
    if not needless and (key := kept_secret(home.secret_key, create=False)):
        os.environ["COORD_SECRET_KEY"] = key


def unknown(name: str) -> int:
    """Say which command was meant; 2."""
    close = difflib.get_close_matches(name, [*own_commands(), *DJANGOS], n=1)
    hint = f"did you mean `coord {close[0]}`?" if close else "`coord` lists the commands"
    print(f"coord: no such command: {name}; {hint}", file=sys.stderr)
    return 2


def own_commands() -> dict[str, Path]:
    """The commands of coord's packages by name, each with its source. Imports none of them."""
    found: dict[str, Path] = {}
    for app in APPS:
        spec = importlib.util.find_spec(app)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(root, "management", "commands").glob("[!_]*.py")):
                found.setdefault(path.stem, path)
    return found


def overview(stream: TextIO, code: int) -> int:
    """The commands by use, with each one's first line of help; returns ``code``."""
    present = own_commands()
    print("usage: coord <command> [options]\n", file=stream)
    listed = {name for _, names in BY_USE for name in names}
    more = ("More", tuple(name for name in sorted(present) if name not in listed))
    for use, names in (*BY_USE, more):
        here = [name for name in names if name in present or name in DJANGOS]
        if here:
            print(f"{use}:", file=stream)
        for name in here:
            print(f"  {name:<16} {DJANGOS.get(name) or help_of(present[name])}", file=stream)
    print(
        "\n`coord help <command>` tells more; every other command of Django works too.",
        file=stream,
    )
    return code


def help_of(path: Path) -> str:
    """The first sentence of a command's help, read from its source: no import, so the list comes at once."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == "Command":
            for statement in node.body:
                if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "help":
                    return first_sentence(ast.literal_eval(statement.value))
    return ""


def first_sentence(text: str) -> str:
    """Up to the first full stop or colon that ends a clause."""
    line = " ".join(text.split())
    end = line.find(". ")
    return line if end < 0 else line[: end + 1]


def installed_version() -> str:
    """The installed version; a checkout that was never installed says ``0+unknown``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("coord")
    except PackageNotFoundError:
        return "0+unknown"


if __name__ == "__main__":
    sys.exit(main())
