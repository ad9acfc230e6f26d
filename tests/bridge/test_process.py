"""The process: quick to load, and nothing left behind however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, environ
from .fake_service import FakeService
from .test_environment import git, repository

__all__ = ["repository"]
COMMAND = [sys.executable, "-m", "coordsite.bridge.main"]
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


class Talk:
    """A bridge process spoken to line by line."""

    def __init__(self, live: FakeService, cwd: Path, **env: str) -> None:
        self.process = subprocess.Popen(
            COMMAND, cwd=cwd, env=environ(live, **env), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def send(self, method: str, params: Any, request_id: int | None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if request_id is not None:
            message["id"] = request_id
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def read(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def start(self) -> None:
        self.send("initialize", HELLO, 0)
        assert self.read()["result"]["serverInfo"]["name"] == "coordination"
        self.send("notifications/initialized", {}, None)


@pytest.fixture
def talk(live: FakeService, repository: Path) -> Iterator[Callable[..., Talk]]:
    (repository / ".coordination").mkdir()
    started: list[Talk] = []

    def begin(cwd: Path | None = None, **env: str) -> Talk:
        started.append(Talk(live, cwd or repository, **env))
        started[-1].start()
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()
        one.process.wait()
        for pipe in (one.process.stdin, one.process.stdout):
            if pipe:
                pipe.close()


@pytest.mark.system
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_cleans_up(talk: Callable[..., Talk], repository: Path, name: str) -> None:
    one = talk(COORD_SESSION_ID="SA")
    marker = repository / ".coordination" / "sessions.live"
    assert marker.read_text().startswith(f"SA {one.process.pid} ")
    number = getattr(signal, name)
    one.process.send_signal(number)
    assert one.process.wait(20) == 128 + number
    assert not marker.exists()


@pytest.mark.system
def test_the_end_of_input_cleans_up(talk: Callable[..., Talk], repository: Path) -> None:
    one = talk()
    assert one.process.stdin
    one.process.stdin.close()
    assert one.process.wait(20) == 0
    assert not (repository / ".coordination" / "sessions.live").exists()


@pytest.mark.system
def test_a_signal_gives_places_up_first(talk: Callable[..., Talk], live: FakeService) -> None:
    live.hold("a.py", repo="org/app")
    one = talk()
    given = {"engineer": "alice", "patterns": ["a.py"], "wait_seconds": 600}
    one.send("tools/call", {"name": "claim_files", "arguments": given}, 1)
    live.wait_for(lambda: bool(live.calls("GET", "/requests/queue")))
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(20) == 128 + signal.SIGTERM
    assert [ticket["state"] for ticket in live.tickets.values()] == ["cancelled"]


@pytest.mark.system
def test_processes_of_linked_work_trees_share_one_file(
    talk: Callable[..., Talk], repository: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", str(linked), cwd=repository)
    first, second = talk(COORD_SESSION_ID="SA"), talk(linked, COORD_SESSION_ID="SB")
    marker = repository / ".coordination" / "sessions.live"
    assert [line.split()[0] for line in marker.read_text().splitlines()] == ["SA", "SB"]
    first.process.terminate()
    first.process.wait(20)
    assert [line.split()[0] for line in marker.read_text().splitlines()] == ["SB"]
    second.process.terminate()
    second.process.wait(20)
    assert not marker.exists()


@pytest.mark.system
def test_garbage_on_the_wire_does_not_end_it(talk: Callable[..., Talk], live: FakeService) -> None:
    one = talk()
    assert one.process.stdin
    one.process.stdin.write(b"not json\n\xff\xfe\n{}\n")
    one.send("tools/call", {"name": "list_claims", "arguments": {}}, 5)
    answer = one.read()
    while answer.get("id") != 5:
        answer = one.read()
    assert answer["result"]["structuredContent"] == {"claims": [], "count": 0}


@pytest.mark.parametrize("session", ["a b", "a/b", "x" * 201, "a\tb", "é"])
def test_a_session_id_that_cannot_be_used_is_refused(live: FakeService, session: str) -> None:
    done = subprocess.run(
        COMMAND,
        env=environ(live, COORD_SESSION_ID=session),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "COORD_SESSION_ID" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("flag", "text"), [("--help", "usage: coord-mcp"), ("--version", "coord-mcp ")])
def test_it_tells_about_itself(live: FakeService, flag: str, text: str) -> None:
    done = subprocess.run([*COMMAND, flag], env=environ(live), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout[: len(text)]) == (0, text)


def test_it_loads_no_django() -> None:
    code = (
        "import sys, coordsite.bridge.stdio, coordsite.bridge.server\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"coordsite", "httpx", "mcp"} <= loaded
    unwanted = {"django", "rest_framework", "channels", "django_q", "symbols", "tree_sitter", "yaml"}
    assert not loaded & (unwanted | {"claims", "ownership", "queueing", "webhooks", "common", "patterns"})


@pytest.mark.parametrize("module", ["environment", "places", "marker"])
def test_what_hooks_use_needs_the_standard_library_only(module: str) -> None:
    code = (
        f"import sys, coordsite.bridge.{module}\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["coordsite"] or set(done.stdout.split()) == {"__main__", "coordsite"}
