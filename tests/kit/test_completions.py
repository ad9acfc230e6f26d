"""`coord completions`: every word that a parser takes, in every shell; bash is really asked."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from coordsite import cli
from coordsite.completing import commands_of
from tests.kit.running import Runner


@pytest.fixture
def bash(tmp_path: Path, coord: Runner):
    """What bash offers after a line."""
    script = tmp_path / "coord.bash"
    script.write_text(coord(tmp_path, "completions", "bash").out)
    (tmp_path / "place").mkdir()
    (tmp_path / "place/some file").touch()

    def offered(*words: str) -> list[str]:
        program = (
            f'source "{script}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _coord; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", program, "bash", "coord", *words],
            cwd=tmp_path / "place",
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    return offered


def test_it_offers_commands_subcommands_options_and_values(bash) -> None:
    assert {"start", "status", "stop"} == set(bash("st"))
    assert {*cli.own_commands(), *cli.DJANGOS} <= set(bash(""))
    assert {"stats", "tail", "retry", "purge"} <= set(bash("outbox", ""))
    assert "--exhausted" in bash("outbox", "retry", "--")
    assert bash("init", "--tool", "") == ["claude", "codex", "cursor"]
    assert bash("init", "--dry-run", "--tool", "cu") == ["cursor"]
    assert bash("completions", "z") == ["zsh"]
    assert bash("init", "--root", "so") == ["some file"]
    assert bash("claims", "--all") == ["--all-repos", "--all"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_it_names_every_word_of_every_parser(tmp_path: Path, coord: Runner, shell: str) -> None:
    script = coord(tmp_path, "completions", shell).out
    for command in commands_of():
        assert command.name in script
        for below in (command, *command.subcommands):
            for option in below.options:
                for name in option.names:
                    assert (f"{name}[" if shell == "zsh" else f" {_fish(name)} ") in script
    assert shlex.split(script, comments=True), "every quote is closed"


def _fish(name: str) -> str:
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"


def test_it_refuses_another_shell(tmp_path: Path, coord: Runner) -> None:
    done = coord(tmp_path, "completions", "tcsh")
    assert (done.code, "invalid choice: 'tcsh'" in done.err) == (2, True)
