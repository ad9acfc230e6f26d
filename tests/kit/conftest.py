"""Real git repositories in temporary directories, the stand-in service, hooks called as tools call them."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command

from common import clock
from coordsite.kit import hook
from tests.kit.running import Runner, programs
from tests.kit.service import FakeService

TOKEN = "token-very-secret"

Run = Callable[..., tuple[str, str]]


class Outcome(NamedTuple):
    """What a hook answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def silent(self) -> bool:
        return self == Outcome(0, "", "")


class Clone:
    """A work tree with helpers that run real git."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str, check: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            text=True,
            capture_output=True,
            check=check,
            env={**os.environ, **environ},
        )

    def write(self, name: str, text: str = "x\n") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def commit(self, name: str, text: str = "x\n", message: str = "change") -> str:
        self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-qm", message, "--no-verify")
        return self.git("rev-parse", "HEAD").stdout.strip()

    def initialise(self, url: str, token: str = "token-shared", policy: str = "") -> None:
        """The machine-local files that `coord init` lays down."""
        folder = self.path / ".coordination"
        folder.mkdir(exist_ok=True)
        (folder / "local.env").write_text(
            f"COORD_API_URL={url}\nCOORD_AUTH_TOKEN={token}\nCOORD_REPO_ID=acme/app\n"
        )
        (folder / "config.toml").write_text(
            'version = 1\nrepo_id = "acme/app"\n' + (f'on_unreachable = "{policy}"\n' if policy else "")
        )
        (self.path / ".gitignore").write_text("/.coordination/\n*.log\n")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test; hooks remember into the test's own directory."""
    for name in [name for name in os.environ if name.startswith(("COORD_", "GIT_", "CLAUDE", "CODEX"))]:
        monkeypatch.delenv(name)
    state = tmp_path / "state"
    state.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = Alice Example\nemail = alice@example.org\n[init]\ndefaultBranch = main\n"
        "[advice]\ndetachedHead = false\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("COORD_HOOK_STATE", str(state))
    monkeypatch.setenv("COORD_HOME", str(tmp_path / "coord-home"))


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


@pytest.fixture
def make_clone(tmp_path: Path) -> Callable[[str], Clone]:
    def make(name: str) -> Clone:
        path = tmp_path / name
        path.mkdir()
        clone = Clone(path)
        clone.git("init", "-q")
        clone.commit("README.md", "app\n")
        return clone

    return make


@pytest.fixture
def clone(make_clone: Callable[[str], Clone], service: FakeService) -> Clone:
    """An initialised repository with one commit."""
    made = make_clone("app")
    made.initialise(service.url)
    made.git("add", "-A")
    made.git("commit", "-qm", "wiring")
    return made


Fire = Callable[..., Outcome]


@pytest.fixture
def fire(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fire:
    """Call ``coord-hook TOOL`` in this process with a payload, as the tool would."""

    def call(tool: str, payload: object) -> Outcome:
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
            code = hook.main([tool])
        read = capsys.readouterr()
        return Outcome(code, read.out, read.err)

    return call


def claude(
    clone: Clone, event: str = "PreToolUse", *, session: str = "alice-1", **fields: Any
) -> dict[str, Any]:
    """A Claude Code payload."""
    return {
        "session_id": session,
        "transcript_path": "/home/alice/.claude/projects/app/t.jsonl",
        "cwd": str(clone.path),
        "permission_mode": "default",
        "hook_event_name": event,
        **fields,
    }


def edit(clone: Clone, name: str, tool: str = "Edit", call: str = "toolu_1", **fields: Any) -> dict[str, Any]:
    """Claude Code is about to edit a file."""
    field = "notebook_path" if tool == "NotebookEdit" else "file_path"
    return claude(
        clone, tool_name=tool, tool_use_id=call, tool_input={field: str(clone.path / name)}, **fields
    )


def shell(clone: Clone, command: str, call: str = "toolu_1", **fields: Any) -> dict[str, Any]:
    """Claude Code is about to run a command, or has run it."""
    return claude(clone, tool_name="Bash", tool_use_id=call, tool_input={"command": command}, **fields)


class VirtualTime:
    """The clock of one test; it moves only when told."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def virtual_time() -> Iterator[VirtualTime]:
    time = VirtualTime()
    with clock.running(lambda: time.moment):
        yield time


@pytest.fixture
def coord(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    """Run ``coord`` in a directory; `coord-hook` and `coord-mcp` are on PATH."""
    monkeypatch.setenv("PATH", f"{programs(tmp_path)}:{os.environ['PATH']}")
    return Runner(monkeypatch, capsys)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, service: FakeService) -> Run:
    """`coord init` (or another command) in a directory; answers what it printed."""
    monkeypatch.setenv("COORD_AUTH_TOKEN", TOKEN)

    def call(place: Path, command: str = "init", *arguments: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.chdir(place)
        if command == "init" and "--mode" not in arguments:
            arguments = ("--mode", "remote", "--service-url", service.url, *arguments)
        given = ("--yes", *arguments) if command == "init" else arguments
        call_command(command, *given, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return call


@pytest.fixture
def fresh(make_clone: Callable[[str], Clone]) -> Clone:
    return make_clone("app")
