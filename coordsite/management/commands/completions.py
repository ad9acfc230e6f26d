"""``coord completions``: completion scripts for shells."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from common.commands import ClientCommand
from coordsite.completing import SHELLS, commands_of, script


class Command(ClientCommand):
    """Writes the script; the shell's own start-up file loads it."""

    help = "Print the completion script of a shell."
    examples = (
        "coord completions bash > ~/.local/share/bash-completion/completions/coord",
        'coord completions zsh > "${fpath[1]}/_coord"',
        "coord completions fish > ~/.config/fish/completions/coord.fish",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which shell."""
        parser.add_argument("shell", choices=list(SHELLS))

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the script."""
        self.stdout.write(script(options["shell"], commands_of()), ending="")
