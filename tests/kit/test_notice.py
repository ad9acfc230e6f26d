"""A newer service is mentioned once a day, and never in the way of a command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kit.conftest import Clone
from tests.kit.running import Runner
from tests.kit.service import FakeService


def asked(service: FakeService) -> int:
    return sum(path == "/meta" for _, path, _, _ in service.requests)


def test_it_is_said_once_a_day(clone: Clone, coord: Runner, service: FakeService, tmp_path: Path) -> None:
    service.version = "99.1.0"
    done = coord(clone.path, "claims")
    assert (done.code, done.out) == (0, "No active claims.\n")
    assert done.err.startswith("coord: the service is newer (99.1.0) than this client (")
    assert done.err.endswith("update, then `coord upgrade`\n")
    assert coord(clone.path, "claims").err == ""
    assert asked(service) == 1
    stamp = tmp_path / "coord-home/last_update_check"
    assert stamp.read_text() == ""
    os.utime(stamp, (1, 1))
    assert "99.1.0" in coord(clone.path, "claims").err


@pytest.mark.parametrize("version", ["0.0.1", "", "odd", "0.1.0"])
def test_it_is_silent_unless_the_service_is_newer(
    clone: Clone, coord: Runner, service: FakeService, version: str
) -> None:
    service.version = version
    assert coord(clone.path, "claims").err == ""


def test_it_is_silent_where_nobody_wants_it(
    clone: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.version = "99.1.0"
    coord(clone.path, "completions", "bash")
    coord(clone.path.parent, "help")
    monkeypatch.setenv("COORD_NO_UPDATE_CHECK", "1")
    assert coord(clone.path, "claims").err == ""
    assert asked(service) == 0


def test_it_breaks_nothing_when_it_cannot_ask_or_note(
    clone: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service.version = "99.1.0"
    (tmp_path / "file").touch()
    monkeypatch.setenv("COORD_HOME", str(tmp_path / "file"))
    assert coord(clone.path, "claims") == (0, "No active claims.\n", "")
