"""What the demo plays on: a repository with thousands of files, and a service of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import django

from coordsite.kit.service import Service, Unreachable

READY_SECONDS = 60.0
REPO = "demo/django"


@dataclass(frozen=True, slots=True)
class Stage:
    """A checkout and the service that knows it."""

    tree: Path
    files: int
    url: str
    token: str

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a client."""
        mine = {"COORD_API_URL": self.url, "COORD_AUTH_TOKEN": self.token, "COORD_REPO_ID": REPO}
        return {**_clean_environ(), **mine, **more}


def plant(place: Path) -> tuple[Path, int]:
    """Put the installed Django's sources under git; returns the checkout and its number of files."""
    tree = place / "app"
    source = Path(django.__file__).parent
    shutil.copytree(source, tree / "django", ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    git = ["git", "-C", str(tree), "-c", "user.name=demo", "-c", "user.email=demo@example.invalid"]
    for step in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Import"]):
        subprocess.run([*git, *step], check=True, capture_output=True)
    listed = subprocess.run([*git, "ls-files", "-z"], check=True, capture_output=True).stdout
    return tree, listed.count(b"\0")


@contextmanager
def serving(place: Path, tree: Path, files: int) -> Iterator[Stage]:
    """A service on a free port, started with ``coord start`` and stopped at the end."""
    port, token = _free_port(), secrets.token_urlsafe(24)
    environ = {
        **_clean_environ(),
        "COORD_HOME": str(place / "home"),
        "COORD_AUTH_TOKEN": token,
        "COORD_REPO_ROOT": str(tree),
        "COORD_REPO_ID": REPO,
        "COORD_START_READY_TIMEOUT_SEC": f"{READY_SECONDS:g}",  # the machine may be busy with agents
        "COORD_MAX_CLAIM_FILES": "0",
        "COORD_MAX_CLAIM_RATIO": "1",
    }
    command = [sys.executable, "-m", "coordsite.cli", "start", "--port", str(port)]
    with (place / "service.log").open("wb") as log:
        service = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT, cwd=place)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, service, place / "service.log")
            yield Stage(tree, files, url, token)
        finally:
            service.terminate()
            try:
                service.wait(timeout=15)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()


def _clean_environ() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("COORD_")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(url: str, service: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if service.poll() is not None:
            break
        with suppress(Unreachable):
            if Service(url).call("GET", "/readyz").status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start: {log.read_text(errors='replace')[-2000:]}")
