"""``coord stop``: end a service that ``coord start`` runs."""

from __future__ import annotations

import json
import os
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import ClientCommand
from coordsite.config import load
from coordsite.home import Home, home_of, start_time

PATIENCE_S = 30.0
LOOK_S = 0.05


class Command(ClientCommand):
    """SIGTERM, then SIGKILL; refuses to touch a process that is not the service."""

    help = "Stop the service that `coord start` runs."
    examples = ("coord stop", "coord stop --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to answer."""
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when nothing runs any more; 1 when the pid file names a foreign process."""
        home = home_of(load())
        try:
            running = home.running()
        except ValueError as error:
            text = f"{home.pid_file} holds a bare number ({error}); remove it by hand."
            self.tell(options, text, None)
            return
        if running is None or not start_time(running.pid):
            home.forget()
            self.tell(options, "No service runs.", None)
            return
        if not running.lives:
            raise CommandError(
                f"Process {running.pid} is not the service that {home.pid_file} names; nothing was stopped.",
                returncode=1,
            )
        with self.working("Stopping the service"):
            self.end(home, running.pid, running.start_time)
        self.tell(options, f"Stopped (process {running.pid}).", running.pid)

    def tell(self, options: dict[str, Any], text: str, stopped: int | None) -> None:
        """Print the outcome: in words, or ``{"stopped": bool, "pid": int | null, "detail": text}``."""
        outcome = {"stopped": stopped is not None, "pid": stopped, "detail": text}
        self.stdout.write(json.dumps(outcome) if options.get("json") else text)

    def end(self, home: Home, pid: int, began: str) -> None:
        """Ask, wait, kill."""
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        while start_time(pid) == began and not is_zombie(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(LOOK_S)
        home.forget_process(pid)


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be reaped by its parent."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
