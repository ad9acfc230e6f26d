"""Completion scripts for bash, zsh and fish, generated from the commands' own parsers."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from typing import NamedTuple

from django.core.management.base import BaseCommand

from coordsite.cli import DJANGOS, help_of, own_commands
from coordsite.kit.rendering import render


class Option(NamedTuple):
    """One option: its names, its first line of help, what may follow it (``None``: nothing)."""

    names: tuple[str, ...]
    text: str
    values: tuple[str, ...] | None


class Described(NamedTuple):
    """A command or subcommand: its help, its options, its subcommands, the words that may follow it."""

    name: str
    text: str
    options: tuple[Option, ...] = ()
    subcommands: tuple[Described, ...] = ()
    words: tuple[str, ...] = ()


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
    options, subcommands, words = [], [], []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        if isinstance(action, argparse._SubParsersAction):
            texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            subcommands += [
                described(sub, texts.get(sub, ""), below) for sub, below in action.choices.items()
            ]
        elif action.option_strings:
            takes = None if action.nargs == 0 else tuple(str(choice) for choice in action.choices or ())
            options.append(Option(tuple(action.option_strings), _line(action.help), takes))
        elif action.choices:
            words += [str(choice) for choice in action.choices]
    return Described(name, _line(text), tuple(options), tuple(subcommands), tuple(words))


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def script(shell: str, commands: list[Described]) -> str:
    """The completion script of a shell."""
    return SHELLS[shell](commands)


def _quoted(text: str) -> str:
    """A text in single quotes, for any of the three shells."""
    return "'" + text.replace("'", "'\\''") + "'"


def _bash(commands: list[Described]) -> str:
    """One ``case`` over the words typed so far; files where an option takes any value."""
    words, values = [], []
    for path, one in _walk(commands):
        known = [name for option in one.options for name in option.names]
        known += [sub.name for sub in one.subcommands] + list(one.words)
        words.append(f"    {_quoted(path)}) words={_quoted(' '.join(known))} ;;")
        for option in one.options:
            if option.values is not None:
                taken = _quoted(" ".join(option.values))
                values += [f"    {_quoted(f'{path} {name}')}) values={taken} ;;" for name in option.names]
    return render(
        "completion.bash",
        commands=_quoted(" ".join([*(one.name for one in commands), "help", "--version"])),
        subcommands="|".join(_quoted(path) for path, _ in _walk(commands) if " " in path),
        values="\n".join(values),
        words="\n".join(words),
    )


def _walk(commands: list[Described]) -> list[tuple[str, Described]]:
    """Every command and subcommand with the words that lead to it."""
    found = []
    for one in commands:
        found.append((one.name, one))
        found += [(f"{one.name} {sub.name}", sub) for sub in one.subcommands]
    return found


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
        for name in option.names:
            value = (
                ""
                if option.values is None
                else ":value:" + (f"({' '.join(option.values)})" if option.values else "_files")
            )
            specs.append(_quoted(f"*{name}[{_zsh_text(option.text)}]{value}"))
    if one.words:
        specs.append(_quoted(f"1: :({' '.join(one.words)})"))
    return specs or ["''"]


def _fish(commands: list[Described]) -> str:
    """One ``complete`` line a word."""
    lines = ["# fish completion of coord, written by `coord completions fish`", "complete -c coord -f"]
    lines += [
        f"complete -c coord -n __fish_use_subcommand -a {_quoted(one.name)} -d {_quoted(one.text)}"
        for one in commands
    ]
    for one in commands:
        seen = f"__fish_seen_subcommand_from {one.name}"
        names = " ".join(sub.name for sub in one.subcommands)
        for sub in one.subcommands:
            lines.append(
                f"complete -c coord -n {_quoted(f'{seen}; and not __fish_seen_subcommand_from {names}')}"
                f" -a {_quoted(sub.name)} -d {_quoted(sub.text)}"
            )
            lines += _fish_options(sub, f"{seen}; and __fish_seen_subcommand_from {sub.name}")
        lines += _fish_options(one, seen)
    return "\n".join(lines) + "\n"


def _fish_options(one: Described, condition: str) -> list[str]:
    lines = [
        f"complete -c coord -n {_quoted(condition)} -a {_quoted(' '.join(one.words))}" for _ in one.words[:1]
    ]
    for option in one.options:
        names = " ".join(
            f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
        )
        takes = ""
        if option.values is not None:
            takes = f" -x -a {_quoted(' '.join(option.values))}" if option.values else " -r -F"
        lines.append(f"complete -c coord -n {_quoted(condition)} {names}{takes} -d {_quoted(option.text)}")
    return lines


SHELLS: dict[str, Callable[[list[Described]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
