"""Several web processes and a task cluster on one database, each of which can be hurt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from coordsite.supervision import SUPERVISOR_FD
from tests.engines.servers import free_port
from tests.system.service import is_ready

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "history-token"
READY_S = 60.0
LEASH, _held = os.pipe()
"""Processes end with the one that started them, however that ended: its end of the pipe closes with it."""


class Process:
    """One process of the fleet, in a group of its own."""

    def __init__(self, name: str, module: str, environment: Mapping[str, str], place: Path) -> None:
        self.name, self.module, self.place = name, module, place
        self.environment = dict(environment)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        with (self.place / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env={**self.environment, SUPERVISOR_FD: str(LEASH)},
                pass_fds=(LEASH,),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def signal(self, number: int) -> None:
        """Signal the whole group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it as a crash would."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def end(self, patience: float = 30.0) -> int:
        """Ask it to stop; the exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop\n{self.log()}") from None

    def log(self) -> str:
        """The end of what it printed."""
        return (self.place / f"{self.name}.log").read_text(errors="replace")[-4000:]


class Replica(Process):
    """A web process whose clock can be set."""

    def __init__(self, number: int, environment: Mapping[str, str], place: Path) -> None:
        self.port = free_port()
        self.clock = place / f"clock-{number}"
        own = {"COORD_PORT": str(self.port), "COORD_TEST_CLOCK": str(self.clock)}
        super().__init__(f"replica-{number}", "tests.history.replica", {**environment, **own}, place)

    def step_clock(self, seconds: float) -> None:
        """Let its clock be off by so much."""
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self.clock)

    def is_ready(self) -> bool:
        """Whether it serves."""
        return is_ready(f"http://127.0.0.1:{self.port}")

    def wait(self) -> None:
        """Wait until it serves."""
        end = time.monotonic() + READY_S
        while not self.is_ready():
            if time.monotonic() > end or self.process is None or self.process.poll() is not None:
                raise AssertionError(f"{self.name} is not ready\n{self.log()}")
            time.sleep(0.02)


class Fleet:
    """``replicas`` web processes, and a task cluster if wanted. Stops all of them at its end."""

    def __init__(
        self, place: Path, replicas: int, variables: Mapping[str, str], *, cluster: bool = True
    ) -> None:
        place.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COORD_")}
        environment = {
            **kept,
            "DJANGO_SETTINGS_MODULE": "coordsite.settings",
            "COORD_HOME": str(place),
            "COORD_HOST": "127.0.0.1",
            "COORD_AUTH_TOKEN": TOKEN,
            "COORD_SECRET_KEY": "history",
            "COORD_LOG_LEVEL": "warning",
            **variables,
        }
        self.replicas = [Replica(number, environment, place) for number in range(replicas)]
        self.clusters = [Process("cluster", "coordsite.cluster", environment, place)] if cluster else []

    @property
    def ports(self) -> list[int]:
        """Where the replicas listen."""
        return [replica.port for replica in self.replicas]

    def __enter__(self) -> Self:
        try:
            self.replicas[0].start()
            self.replicas[0].wait()  # it migrates; the others need not queue for that
            for process in (*self.replicas[1:], *self.clusters):
                process.start()
            for replica in self.replicas:
                replica.wait()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()

    def _kill(self) -> None:
        for process in (*self.replicas, *self.clusters):
            process.kill()
