"""`coord guard`: git's hooks alone, put there, taken away, tried by hand."""

from __future__ import annotations

import os

import pytest

from tests.kit.conftest import Clone
from tests.kit.running import Runner
from tests.kit.service import FakeService


def test_it_installs_and_removes_and_gives_the_old_hook_back(
    clone: Clone, coord: Runner, service: FakeService
) -> None:
    mine = clone.path / ".git/hooks/pre-commit"
    mine.write_text("#!/bin/sh\ntrue\n")
    mine.chmod(0o755)
    assert coord(clone.path, "guard", "status", "--json").json == {
        "pre-commit": "foreign",
        "pre-push": "missing",
    }
    assert coord(clone.path, "guard", "install").code == 0
    assert coord(clone.path, "guard", "status").out == "installed  pre-commit\ninstalled  pre-push\n"
    done = coord(clone.path, "guard", "install", "--json")
    assert set(done.json.values()) == {"unchanged"}
    assert coord(clone.path, "guard", "remove").code == 0
    assert mine.read_text() == "#!/bin/sh\ntrue\n"
    assert os.access(mine, os.X_OK)
    assert not (clone.path / ".git/hooks/pre-push").exists()
    assert coord(clone.path, "guard", "remove", "--json").json == {}


def test_it_checks_by_hand(clone: Clone, coord: Runner, service: FakeService) -> None:
    service.hold("a.py", "bob", "bob-1")
    clone.write("a.py")
    clone.git("add", "a.py")
    done = coord(clone.path, "guard", "pre-commit")
    assert (done.code, "a.py is held by bob" in done.err) == (1, True)
    clone.git("commit", "-qm", "x", "--no-verify")
    assert coord(clone.path, "guard", "pre-commit").code == 0
    done = coord(clone.path, "guard", "pre-push")
    assert (done.code, "a.py is held by bob" in done.err) == (1, True)


def test_there_is_nothing_to_push_before_the_first_commit(
    clone: Clone, coord: Runner, service: FakeService
) -> None:
    clone.git("checkout", "-q", "--orphan", "fresh")
    done = coord(clone.path, "guard", "pre-push")
    assert (done.code, done.err, service.asked("POST", "/verify")) == (0, "", [])


def test_it_tells_programs_what_it_found(
    clone: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.hold("a.py", "bob", "bob-1")
    clone.write("a.py")
    clone.write("b.py")
    clone.git("add", "a.py", "b.py")
    done = coord(clone.path, "guard", "pre-commit", "--json")
    assert (done.code, done.err) == (1, "")
    assert (done.json["ok"], done.json["paths"], done.json["stale"]) == (False, ["a.py", "b.py"], [])
    assert [(one["path"], one["engineer"]) for one in done.json["held"]] == [("a.py", "bob")]
    clone.git("commit", "-qm", "x", "--no-verify")
    clone.initialise("http://127.0.0.1:9")
    done = coord(clone.path, "guard", "pre-push", "--json")
    assert (done.code, done.json["ok"], done.json["mode"]) == (0, True, "advise")
    assert "does not answer" in done.json["fault"]
    monkeypatch.setenv("COORD_PREPUSH_MODE", "enforce")
    done = coord(clone.path, "guard", "pre-push", "--json")
    assert (done.code, done.json["ok"]) == (1, False)


@pytest.mark.parametrize("action", ["status", "install", "remove", "pre-commit", "pre-push"])
def test_it_needs_an_initialised_repository(make_clone, coord: Runner, action: str) -> None:
    done = coord(make_clone("bare").path, "guard", action)
    assert (done.code, "run `coord init` first" in done.err) == (1, True)
