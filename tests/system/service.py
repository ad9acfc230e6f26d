"""The real service for tests: started as the README says, on a free port, with a home of its own."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.engines.servers import free_port

COORD = Path(sys.executable).with_name("coord")
PATIENCE_S = 60.0
PATIENCE = "COORD_START_READY_TIMEOUT_SEC"
"""Tests share the machine with others, so that a service may take its time to start."""


class NotStarted(AssertionError):
    """The service ended, or did not become ready; the text is what it printed."""


def clean_environ(**more: str) -> dict[str, str]:
    """This process's environment without its COORD_* and Django variables, then ``more``."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("COORD_") and name != "DJANGO_SETTINGS_MODULE"
    }
    return {**ours, **more}


def coord(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the ``coord`` command to its end with these variables and none of the caller's."""
    return subprocess.run(
        [COORD, *arguments],
        env=clean_environ(**{PATIENCE: f"{PATIENCE_S:g}", **variables}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S + 30,
        check=False,
    )


def wait_for(condition: Any, what: str, seconds: float = PATIENCE_S) -> Any:
    """The first true answer of ``condition``; fails with ``what`` when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not in {seconds:g} s: {what}")


@cache
def tls() -> ssl.SSLContext:
    """What a client would make for itself, once per process: it costs as much as a hundred requests."""
    return ssl.create_default_context()


def is_ready(url: str) -> bool:
    """Whether the service at ``url`` says that it serves. Cheap, because it is asked many times."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass
class Service:
    """One ``coord start`` in the foreground: where it is, how to ask it, how to end it."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The base of every path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the service printed, standard output and error together."""
        return self.home.with_name(f"{self.home.name}.log")

    @property
    def token(self) -> str:
        """The shared token: as configured, else the one that the service made."""
        return self.variables.get("COORD_AUTH_TOKEN") or (self.home / "token").read_text().strip()

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return Path(self.variables.get("COORD_DATABASE_PATH") or self.home / "data" / "coordination.db")

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the service's own process."""
        own = {
            "COORD_HOME": str(self.home),
            "COORD_PORT": str(self.port),
            PATIENCE: f"{PATIENCE_S:g}",
        }
        return clean_environ(**{**own, **self.variables})

    def client_variables(self, **more: str) -> dict[str, str]:
        """The COORD_* variables of a client (``coord``, ``coord-mcp``) of this service."""
        return {"COORD_API_URL": self.url, "COORD_AUTH_TOKEN": self.token, **more}

    def start(self) -> Service:
        """Start and wait until it is ready. Raises :class:`NotStarted`."""
        self.port = self.port or free_port()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [COORD, "start"], env=self.environ, stdout=log, stderr=log, cwd=self.home.parent
            )
        try:
            wait_for(self._ready, "the service is ready")
        except AssertionError as error:
            self.kill()
            raise NotStarted(f"{error}\n{self.output()}") from None
        return self

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise NotStarted(self.output())
        return is_ready(self.url)

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """An HTTP client with the token (``token=""``: none). Close it, or use it as a context."""
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Client(base_url=self.url, headers=named, timeout=30, verify=tls())

    def web_process(self) -> int:
        """The id of the process that listens."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in children.read_text().split():
            if b"coordsite.server" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        raise AssertionError("no web process")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it in order; the exit code. No process of it may have to be killed for that."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            code = self.process.wait(PATIENCE_S)
            assert "did not stop within" not in self.output(), self.output()
            return code
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the service did not stop:\n{self.output()}") from None

    def kill(self) -> None:
        """End it at once, without a chance to tidy up; its children follow on their own."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def output(self) -> str:
        """What it printed until now."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def git(tree: Path, *arguments: str) -> str:
    """Run git in ``tree`` with an identity of its own and no configuration of the machine; its output."""
    own = ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(tree), *own, *arguments],
        env=clean_environ(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def plant_django(tree: Path) -> int:
    """Put the installed Django's sources under git at ``tree``; the number of tracked files."""
    import django

    source = Path(django.__file__).parent
    shutil.copytree(source, tree / "django", ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    git(tree, "init", "-q")
    git(tree, "remote", "add", "origin", "https://example.invalid/demo/django.git")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "Import")
    return git(tree, "ls-files", "-z").count("\0")
