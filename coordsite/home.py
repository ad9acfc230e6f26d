"""The state directory of ``coord start`` (``COORD_HOME``): token, keys, database, pid file, log."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordsite.config import Config

USUAL_HOME = "~/.coord"
MARKER = "coord start"
MOST_LOG_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A supervisor as the pid file remembers it. ``start_time`` is the system's word, not a clock's;
    ``url`` where its service listens.
    """

    pid: int
    start_time: str
    marker: str = MARKER
    url: str = ""

    @property
    def lives(self) -> bool:
        """Whether the process is there, and is the one that was remembered."""
        return self.marker == MARKER and bool(self.start_time) and start_time(self.pid) == self.start_time


class Home:
    """The files of one state directory."""

    def __init__(self, directory: str | Path) -> None:
        self.path = Path(directory).expanduser().absolute()
        self.token = self.path / "token"
        self.secret_key = self.path / "secret_key"
        self.database = self.path / "data" / "coordination.db"
        self.pid_file = self.path / "coord.pid"
        self.lock = self.path / "coord.lock"
        self.log = self.path / "coord.log"

    def make(self) -> None:
        """The directory, for its owner alone."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def remember(self, url: str) -> None:
        """Write the pid file for this process, whose service listens at ``url``."""
        running = Running(os.getpid(), start_time(os.getpid()), url=url)
        fresh = self.pid_file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(running)) + "\n", encoding="utf-8")
        fresh.replace(self.pid_file)

    def forget(self) -> None:
        """Remove the pid file."""
        self.pid_file.unlink(missing_ok=True)

    def forget_process(self, pid: int) -> None:
        """Remove the pid file if it is that process's: another may run by now."""
        with suppress(ValueError):
            running = self.running()
            if running is not None and running.pid == pid:
                self.forget()

    def running(self) -> Running | None:
        """What the pid file says. ``ValueError``: something else than this program wrote it."""
        try:
            text = self.pid_file.read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            return None
        if text.isdigit():
            raise ValueError(text)
        try:
            found = json.loads(text)
            url = str(found.get("url", ""))
            return Running(int(found["pid"]), str(found["start_time"]), str(found["marker"]), url)
        except (ValueError, KeyError, TypeError):
            return None

    def url(self) -> str:
        """Where the service of this directory listens now; empty when none runs."""
        with suppress(ValueError):
            running = self.running()
            if running is not None and running.lives:
                return running.url
        return ""

    def serves(self, url: str) -> bool:
        """Whether the service of this directory is the one that listens at ``url``."""
        return self.url() == url

    def open_log(self) -> int:
        """A descriptor to append to the log; a log that grew large is kept once as ``coord.log.1``."""
        if self.log.exists() and self.log.stat().st_size > MOST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def home_of(config: Config) -> Home:
    """The configured state directory."""
    return Home(config.home)


def home_here(environ: Mapping[str, str]) -> Home:
    """The state directory that a client's environment names, without reading the configuration."""
    return Home(environ.get("COORD_HOME") or USUAL_HOME)


def start_time(pid: int) -> str:
    """When a process started, as the system tells it; empty when there is none. Tells pids apart."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except (OSError, IndexError):
        return ""
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
