"""Services to measure: ours from this checkout, and any other that has the same API and settings."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engines.servers import free_port

TOKEN = "benchmark-token"
OURS = f"{sys.executable} -m coordsite.cli start"
READY_S = 30.0


class Connection:
    """One client: a connection that is kept."""

    def __init__(self, port: int) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON (or text) of one call."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body), "application/json"
        self.http.request(method, path, data, headers)
        answer = self.http.getresponse()
        raw = answer.read()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, json.loads(raw) if "json" in kind else raw.decode()

    def close(self) -> None:
        """Hang up."""
        self.http.close()


@dataclass(slots=True)
class Service:
    """A running service. ``ready_s`` is how long it took to answer ``/readyz``, in seconds."""

    name: str
    port: int
    database: Path
    process: subprocess.Popen[bytes]
    ready_s: float

    def connect(self) -> Connection:
        """A new client."""
        return Connection(self.port)

    def memory_mib(self) -> float:
        """Resident memory of the service's processes, in MiB."""
        listed = subprocess.run(
            ["ps", "-o", "rss=", "-g", str(os.getpgid(self.process.pid))],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        children = subprocess.run(
            ["ps", "-o", "rss=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        ).stdout
        return sum(int(line) for line in (listed + children).split()) / 1024


@contextmanager
def running(name: str, command: str, settings: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Start a service on an empty (or the given) state directory, and stop it at the end of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="coord-bench-") as home,
        started(name, command, Path(home), settings) as service,
    ):
        yield service


@contextmanager
def started(
    name: str, command: str, home: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Start a service whose files live in ``home``."""
    port = free_port()
    database = home / "coordination.db"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COORD_")}
    environment |= {
        "COORD_HOME": str(home),
        "COORD_HOST": "127.0.0.1",
        "COORD_PORT": str(port),
        "COORD_DATABASE_PATH": str(database),
        "COORD_AUTH_TOKEN": TOKEN,
        "COORD_LOG_LEVEL": "warning",
        **(settings or {}),
    }
    with open(home / "service.log", "ab") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            shlex.split(command),
            env=environment,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).parent.parent,
            start_new_session=True,
        )
    try:
        wait_until_ready(port, process, home / "service.log")
        yield Service(name, port, database, process, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for ``/readyz``. Raises ``RuntimeError`` with the log's end when it does not come."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with closing(Connection(port)) as connection:
                if connection.call("GET", "/readyz")[0] == 200:
                    return
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
    raise RuntimeError(f"the service did not start: {log.read_text(errors='replace')[-2000:]}")
