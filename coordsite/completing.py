"""Completion scripts for bash, zsh and fish, generated from the commands' own parsers."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.core.management.base import BaseCommand

from coordsite.cli import DJANGOS, help_of, own_commands
from coordsite.kit.rendering import render

FILES = frozenset({"FILE", "PATH", "PATTERN"})
"""What arguments are called, in the usage or in the code, that name files."""
HELP = "help"


class Value(NamedTuple):
    """What an option or an argument takes: one of ``words``, else a file, else anything."""

    name: str
    words: tuple[str, ...] = ()
    file: bool = False
    optional: bool = False


class Option(NamedTuple):
    """One option: its names, its first line of help, what follows it (``None``: nothing)."""

    names: tuple[str, ...]
    text: str
    value: Value | None


class Described(NamedTuple):
    """A command or subcommand: its help, its options, its subcommands, its arguments."""

    name: str
    text: str
    options: tuple[Option, ...] = ()
    subcommands: tuple[Described, ...] = ()
    arguments: tuple[Value, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What may stand after it, but for options."""
        known = tuple(sub.name for sub in self.subcommands)
        return known + tuple(word for argument in self.arguments for word in argument.words)

    @property
    def takes_files(self) -> bool:
        """Whether an argument of it is a file."""
        return any(argument.file for argument in self.arguments)


def set_up() -> None:
    """Set Django up, for some commands import models. Opens no database."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
    django.setup()


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of one of coord's commands. Needs :func:`set_up`."""
    app = own_commands()[name].parents[2].name
    command: BaseCommand = importlib.import_module(f"{app}.management.commands.{name}").Command()
    return command.create_parser("coord", name)


def commands_of() -> list[Described]:
    """Every command of coord."""
    set_up()
    found = [described(name, help_of(path), parser_of(name)) for name, path in sorted(own_commands().items())]
    return found + [Described(name, text) for name, text in DJANGOS.items()]


def described(name: str, text: str, parser: argparse.ArgumentParser) -> Described:
    """What a parser takes. Hidden options stay hidden."""
    options, subcommands, arguments = [], [], []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        if isinstance(action, argparse._SubParsersAction):
            texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            subcommands += [
                described(sub, texts.get(sub, ""), below) for sub, below in action.choices.items()
            ]
        elif action.option_strings:
            takes = None if action.nargs == 0 else _value(action)
            options.append(Option(tuple(action.option_strings), _line(action.help), takes))
        else:
            arguments.append(_value(action))
    return Described(name, _line(text), tuple(options), tuple(subcommands), tuple(arguments))


def _value(action: argparse.Action) -> Value:
    name = str(action.metavar or action.dest)
    words = tuple(str(choice) for choice in action.choices or ())
    return Value(name.lower(), words, name.upper() in FILES, action.nargs == argparse.OPTIONAL)


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def script(shell: str, commands: list[Described]) -> str:
    """The completion script of a shell."""
    named = Value("command", tuple(one.name for one in commands))
    return SHELLS[shell]([*commands, Described(HELP, "Tell more about a command.", arguments=(named,))])


def _quoted(text: str) -> str:
    """A text in single quotes, for any of the three shells."""
    return "'" + text.replace("'", "'\\''") + "'"


def _list(words: Iterable[str]) -> str:
    return _quoted(" ".join(words))


def _walk(commands: list[Described]) -> list[tuple[str, Described]]:
    """Every command and subcommand with the words that lead to it."""
    found = []
    for one in commands:
        found.append((one.name, one))
        found += [(f"{one.name} {sub.name}", sub) for sub in one.subcommands]
    return found


def _bash(commands: list[Described]) -> str:
    """One ``case`` over the words typed so far: what an option takes, and what else may follow."""
    following, values = [], []
    for path, one in _walk(commands):
        options = _list(name for option in one.options for name in option.names)
        files = " files=1" if one.takes_files else ""
        following.append(f"    {_quoted(path)}) options={options} words={_list(one.words)}{files} ;;")
        for option in one.options:
            if option.value is not None:
                names = "|".join(_quoted(f"{path} {name}") for name in option.names)
                files = " files=1" if option.value.file else ""
                values.append(f"    {names}) words={_list(option.value.words)}{files} ;;")
    return render(
        "completion.bash",
        commands=_list([*(one.name for one in commands), "--version"]),
        subcommands="|".join(_quoted(path) for path, _ in _walk(commands) if " " in path),
        values="\n".join(values),
        following="\n".join(following),
    )


def _zsh(commands: list[Described]) -> str:
    """``_arguments`` for each command."""
    return render(
        "completion.zsh",
        commands="\n".join(f"    {_quoted(f'{one.name}:{_zsh_text(one.text)}')}" for one in commands),
        cases="\n".join(_zsh_case(one, "      ") for one in commands),
    )


def _zsh_text(text: str) -> str:
    for mark in ("\\", ":", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return text


def _zsh_case(one: Described, indent: str) -> str:
    if not one.subcommands:
        return f"{indent}  {one.name}) _arguments {' '.join(_zsh_specs(one))} ;;"
    names = " ".join(_quoted(f"{sub.name}:{_zsh_text(sub.text)}") for sub in one.subcommands)
    inner = "\n".join(_zsh_case(sub, indent + "      ") for sub in one.subcommands)
    return (
        f"{indent}  {one.name})\n"
        f"{indent}    subcommands=({names})\n"
        f"{indent}    _arguments -C {' '.join(_zsh_specs(one))} '1: :->sub' '*:: :->below'\n"
        f"{indent}    case $state in\n"
        f"{indent}      sub) _describe action subcommands ;;\n"
        f"{indent}      below) case $words[1] in\n{inner}\n{indent}      esac ;;\n"
        f"{indent}    esac ;;"
    )


def _zsh_specs(one: Described) -> list[str]:
    specs = []
    for option in one.options:
        value = "" if option.value is None else f":{_zsh_value(option.value)}"
        for name in option.names:
            follows = "=" if value and name.startswith("--") else ""
            specs.append(_quoted(f"*{name}{follows}[{_zsh_text(option.text)}]{value}"))
    for number, argument in enumerate(one.arguments, start=1):
        may = ":" if argument.optional else ""
        specs.append(_quoted(f"{number}:{may}{_zsh_value(argument)}"))
    return specs or ["''"]


def _zsh_value(value: Value) -> str:
    """A message and an action: these words, files, or nothing."""
    action = f"({' '.join(value.words)})" if value.words else "_files" if value.file else " "
    return f"{_zsh_text(value.name)}:{action}"


def _fish(commands: list[Described]) -> str:
    """One ``complete`` line a word, on the condition that the words before it lead there."""
    lines = [_fish_line("__coord_at", f"-a {one.name}", one.text) for one in commands]
    for path, one in _walk(commands):
        lines += [_fish_line(f"__coord_at {path}", f"-a {sub.name}", sub.text) for sub in one.subcommands]
        below = f"__coord_below {path}"
        for argument in one.arguments:
            if argument.words:
                lines.append(_fish_line(f"__coord_at {path}", f"-a {_list(argument.words)}"))
            elif argument.file:
                lines.append(_fish_line(below, "-F"))
        lines += [_fish_line(below, _fish_option(option), option.text) for option in one.options]
    return render("completion.fish", lines="\n".join(lines))


def _fish_line(condition: str, what: str, text: str = "") -> str:
    told = f" -d {_quoted(text)}" if text else ""
    return f"complete -c coord -n {_quoted(condition)} {what}{told}"


def _fish_option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    if option.value is None:
        return names
    if option.value.file:
        return f"{names} -r -F"
    return f"{names} -x" + (f" -a {_list(option.value.words)}" if option.value.words else "")


SHELLS: dict[str, Callable[[list[Described]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
