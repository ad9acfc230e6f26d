"""Progress of commands: said on a terminal once it takes long, taken away after; never for programs."""

from __future__ import annotations

import io
import threading
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from common import commands
from common.commands import ClientCommand, working

SAID_AND_TAKEN_AWAY = "Thinking …\r\r\033[K"


class Screen(io.StringIO):
    """A terminal (or not); ``said`` is set once something appears on it."""

    def __init__(self, *, terminal: bool = True) -> None:
        super().__init__()
        self.terminal = terminal
        self.said = threading.Event()

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        written = super().write(text)
        self.said.set()
        return written


class Thinking(ClientCommand):
    """Thinks until its progress is seen; with ``--json`` it has none to show."""

    def add_arguments(self, parser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: object, **options: object) -> None:
        with self.working("Thinking"):
            assert options["json"] or commands.sys.stderr.said.wait(10)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """The terminal; no patience."""
    screen = Screen()
    monkeypatch.setattr(commands, "PATIENCE_S", 0)
    monkeypatch.setattr(commands, "sys", SimpleNamespace(stderr=screen))
    return screen


def test_it_is_said_on_a_terminal_and_taken_away(screen: Screen) -> None:
    call_command(Thinking(), json=False)
    assert screen.getvalue() == SAID_AND_TAKEN_AWAY


def test_it_is_taken_away_when_the_work_fails(screen: Screen) -> None:
    def fail() -> None:
        with working("Thinking"):
            assert screen.said.wait(10)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert screen.getvalue() == SAID_AND_TAKEN_AWAY


def test_json_is_for_programs(screen: Screen) -> None:
    call_command(Thinking(), json=True)
    assert screen.getvalue() == ""


def test_what_is_no_terminal_gets_nothing(screen: Screen) -> None:
    file = Screen(terminal=False)
    with working("Thinking", file):
        pass
    assert file.getvalue() == ""


def test_what_is_quick_says_nothing(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PATIENCE_S", 3600)
    with working("Thinking"):
        pass
    assert screen.getvalue() == ""
