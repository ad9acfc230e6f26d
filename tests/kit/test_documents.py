"""The pages about commands say what the commands take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from coordsite import cli, commanddocs
from coordsite.completing import parser_of, set_up

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("commands.md", "integrations.md", "ci.md", "getting-started.md")


def lines() -> list[str]:
    """Every command line of the pages that calls coord."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
            found += [part for line in block.splitlines() for part in re.split(r"&&|\|", line)]
    return sorted({line.strip() for line in found if re.match(r"\s*(?:[A-Z_]+=\S+ )*coord ", line)})


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (DOCS / "commands.md").read_text() == commanddocs.page(), "run 'make commands'"


def test_every_command_has_its_section() -> None:
    text = (DOCS / "commands.md").read_text()
    assert re.findall(r"^### coord (\S+)$", text, re.MULTILINE) == [
        name for _, names in cli.BY_USE for name in names
    ]


@pytest.mark.parametrize("line", lines())
def test_every_documented_line_is_one_that_the_command_takes(line: str) -> None:
    set_up()
    words = shlex.split(line, comments=True)
    words = words[next(at for at, word in enumerate(words) if word == "coord") + 1 :]
    words = words[: words.index(">")] if ">" in words else words
    if words[0] not in cli.DJANGOS:
        parser_of(words[0]).parse_args(words[1:])
