"""``docs/commands.md``, written from the commands' own parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from coordsite.cli import BY_USE, DJANGOS, own_commands
from coordsite.completing import parser_of, set_up

HEAD = """\
# Commands

Written from the commands themselves by `make commands`. `coord` lists them,
`coord help COMMAND` says the same as this page. `coord completions bash|zsh|fish` completes them.

Commands that ask the service (`status`, `claims`, `release`, `engineers`) find it in `COORD_API_URL` and
`COORD_AUTH_TOKEN` of the environment, else in `.coordination/local.env` of the enclosing repository, else on
this machine: where the service of `COORD_HOME` listens, with its token (when it does not run: at `COORD_HOST`
and `COORD_PORT`, 127.0.0.1:8080). They need no database. `coord start` keeps its state in `COORD_HOME`
(`~/.coord`): token, database, log and pid file.

Commands that work on the database (`outbox`, `tokens`, `signin`, `promote`, `demote`, `pin`, `backup`,
`import-reference`) run where the service runs: `COORD_DATABASE_URL`, `COORD_DATABASE_PATH`, else
`data/coordination.db` here, else the one in `COORD_HOME`. A file without tables is no database; none is made.

`--json` answers programs. Only `completions` (its output is a script), `configdocs` and Django's own commands
do without. What git's and the tools' hooks print is up to git and the tools; `coord guard pre-commit --json`
and `coord guard pre-push --json` tell the same.

Exit codes: 0 done; 1 refused, not found or not healthy; 2 wrong use or no database here, and for `coord ci`
no verdict; 3 the service has no authentication set.
"""


def page() -> str:
    """The whole page."""
    set_up()
    return "\n".join([HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for use, names in BY_USE:
        yield f"## {use}\n"
        for name in names:
            if name in DJANGOS:
                yield f"### coord {name}\n\n{DJANGOS[name]} Django's own command.\n"
            elif name in own_commands():
                yield _command(name)


def _command(name: str) -> str:
    parser = parser_of(name)
    lines = [f"### coord {name}", "", " ".join((parser.description or "").split()), ""]
    lines += _arguments(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for sub, below in action.choices.items():
                lines += [f"`{name} {sub}`: {texts.get(sub, '').rstrip('.')}.", "", *_arguments(below)]
    examples = [line.strip() for line in (parser.epilog or "").splitlines()[1:] if line.strip()]
    if examples:
        lines += ["```sh", *examples, "```", ""]
    return "\n".join(lines)


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    """A bullet an argument. Hidden ones and ``--help`` are left out."""
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        if action.help == argparse.SUPPRESS or "--skip-checks" in action.option_strings:
            continue
        shown = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{_value(action)}`"
        value = f" `{_value(action)}`" if action.option_strings and action.nargs != 0 else ""
        text = " ".join((action.help or "").split()).rstrip(".")
        rows.append(f"- {shown}{value}: {text}" if text else f"- {shown}{value}")
    return [*rows, ""] if rows else []


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(str(choice) for choice in action.choices)
    metavar = action.metavar if isinstance(action.metavar, str) else None
    return metavar or action.dest.upper()


if __name__ == "__main__":
    print(page(), end="")
