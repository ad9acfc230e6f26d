"""``coord stop``: end a service that ``coord start`` runs."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordsite.config import load
from coordsite.home import MARKER, Home, home_of, start_time

PATIENCE_S = 30.0
LOOK_S = 0.05


class Command(BaseCommand):
    """SIGTERM, then SIGKILL; refuses to touch a process that is not the service."""

    help = "Stop the service that `coord start` runs."
    requires_system_checks = []
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when nothing runs any more; 1 when the pid file names a foreign process."""
        home = home_of(load())
        try:
            running = home.running()
        except ValueError as error:
            self.stdout.write(f"{home.pid_file} holds a bare number ({error}); remove it by hand.")
            return
        if running is None or not start_time(running.pid):
            home.forget()
            self.stdout.write("No service runs.")
            return
        if running.marker != MARKER or start_time(running.pid) != running.start_time:
            raise CommandError(
                f"Process {running.pid} is not the service that {home.pid_file} names; nothing was stopped.",
                returncode=1,
            )
        self.end(home, running.pid, running.start_time)
        self.stdout.write(f"Stopped (process {running.pid}).")

    def end(self, home: Home, pid: int, began: str) -> None:
        """Ask, wait, kill."""
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        while start_time(pid) == began and not is_zombie(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(LOOK_S)
        home.forget()


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be reaped by its parent."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
