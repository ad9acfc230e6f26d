"""`coord completions`: every word that a parser takes, in every shell; the shells that are here are asked."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from coordsite import cli
from coordsite.completing import SHELLS, commands_of
from tests.kit.running import Runner

BASH = """
source "$1"; shift
for line; do
  IFS=' ' read -ra COMP_WORDS <<< "${line/=/ = }"
  [ "${line: -1}" = " " ] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _coord
  printf '<%s>' "${COMPREPLY[@]}"; echo
done
"""
"""Words are split as readline splits them, at "=" too."""

ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "source $1.setup"
zpty -r shell said '*READY*'
shift
for line; do
  zpty -w -n shell $'\C-u'"$line"$'\t'
  zpty -r shell said '*<end>*'
  print -r -- "${${said##*$line}%<end>*}"
done
"""
"""An interactive zsh on a terminal of its own gets the line and a tab."""

ZSH_SETUP = r"""
PS1= PROMPT_EOL_MARK=
unsetopt prompt_cr prompt_sp
autoload -U compinit; compinit -u -D
source "$SCRIPT"
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits
  builtin compadd -A hits "$@"
  print -rn -- "<"${^hits}">"
}
ended() { print -rn -- '<end>'; comppostfuncs=(ended) }
comppostfuncs=(ended)
print -r -- REA''DY
"""

FISH = """
source $argv[1]
for line in $argv[2..-1]
    for offer in (complete -C $line)
        string split -m 1 \\t -- $offer | read -l word
        printf '<%s>' (string replace -r '^--tool=' '' -- $word)
    end
    echo
end
"""

PROGRAMS = {"bash": ["bash", "--norc", "-c", BASH, "bash"], "fish": ["fish", "--no-config", "-c", FISH]}
HERE = [shell for shell in SHELLS if shutil.which(shell)]

OFFERED = {
    "coord st": {"start", "status", "stop"},
    "coord outbox ": {"stats", "tail", "retry", "purge"},
    "coord outbox retry --": {"--all", "--dry-run", "--exhausted", "--failed", "--help", "--json"},
    "coord claims --all": {"--all", "--all-repos"},
    "coord --v": {"--version"},
    "coord help st": {"start", "status", "stop"},
    "coord init --tool ": {"claude", "codex", "cursor"},
    "coord init --dry-run --tool cu": {"cursor"},
    "coord init --tool=c": {"claude", "codex", "cursor"},
    "coord tokens create alice --role ": {"agent", "ci", "operator", "viewer"},
    "coord completions z": {"zsh"},
    "coord init --root so": {"some file"},
    "coord backup so": {"some file"},
    "coord claims --repo so": set(),
}

Ask = Callable[..., dict[str, set[str]]]


@pytest.fixture
def ask(tmp_path: Path, coord: Runner) -> Ask:
    """What a shell offers after each line."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "some file").touch()

    def offered(shell: str, *lines: str) -> dict[str, set[str]]:
        script = tmp_path / f"coord.{shell}"
        script.write_text(coord(tmp_path, "completions", shell).out)
        program = PROGRAMS.get(shell)
        if program is None:
            Path(f"{script}.setup").write_text(ZSH_SETUP.replace("$SCRIPT", str(script)))
            program = ["zsh", "-f", "-c", ZSH, "zsh"]
        done = subprocess.run(
            [*program, str(script), *lines], cwd=place, capture_output=True, text=True, timeout=30, check=True
        )
        assert done.stderr == ""
        rows = done.stdout.splitlines()[-len(lines) :]
        return {
            line: set(re.findall("<([^>]+)>", row.replace("\\", "")))
            for line, row in zip(lines, rows, strict=True)
        }

    return offered


@pytest.mark.parametrize("shell", HERE)
def test_it_offers_commands_subcommands_options_values_and_files(ask: Ask, shell: str) -> None:
    assert ask(shell, *OFFERED) == OFFERED


@pytest.mark.parametrize("shell", HERE)
def test_it_offers_every_command(ask: Ask, shell: str) -> None:
    assert {*cli.own_commands(), *cli.DJANGOS, "help"} <= ask(shell, "coord ")["coord "]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_it_names_every_word_of_every_parser(tmp_path: Path, coord: Runner, shell: str) -> None:
    script = coord(tmp_path, "completions", shell).out
    for command in commands_of():
        assert command.name in script
        for below in (command, *command.subcommands):
            for option in below.options:
                for name in option.names:
                    wanted = rf"\*{name}=?\[" if shell == "zsh" else f" {_fish(name)} "
                    assert re.search(wanted, script)
    assert shlex.split(script, comments=True), "every quote is closed"


def _fish(name: str) -> str:
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"


def test_it_refuses_another_shell(tmp_path: Path, coord: Runner) -> None:
    done = coord(tmp_path, "completions", "tcsh")
    assert (done.code, "invalid choice: 'tcsh'" in done.err) == (2, True)
