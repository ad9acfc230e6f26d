"""``.coordination/sessions.live``: the agent processes of this clone, one ``session pid start_ns`` a line.

Hooks read it to know whose claims are their own. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from coordsite.bridge.places import coordination_of

FILE = "sessions.live"
_MAX_BYTES = 262_144


class Marker:
    """This process's line in the file: written by :meth:`enter`, taken out by :meth:`leave`.

    Nothing is written where the clone has no ``.coordination`` directory. A file that cannot be written
    is no reason for the bridge to fail.
    """

    def __init__(self, cwd: str, session: str, pid: int | None = None) -> None:
        self.directory = coordination_of(cwd)
        self.session = session
        self.pid = pid or os.getpid()

    @property
    def path(self) -> str | None:
        """The file's path; ``None`` where there is no ``.coordination`` directory."""
        return os.path.join(self.directory, FILE) if self.directory else None

    def enter(self) -> None:
        """Append the line."""
        if self.path is None or self.directory is None:
            return
        line = f"{self.session} {self.pid} {started_ns(self.pid)}\n"
        with (
            contextlib.suppress(OSError),
            locked(self.directory),
            open(self.path, "a", encoding="utf-8") as file,
        ):
            file.write(line)

    def leave(self) -> None:
        """Take out the line, and those of processes that are gone; the file goes with its last line."""
        if self.path is None or self.directory is None:
            return
        with contextlib.suppress(OSError), locked(self.directory):
            with open(self.path, encoding="utf-8", errors="replace") as file:
                lines = file.read(_MAX_BYTES).splitlines()
            kept = [line for line in lines if self._stays(line)]
            if not any(line.strip() and not line.lstrip().startswith("#") for line in kept):
                os.unlink(self.path)
                return
            temporary = f"{self.path}.{self.pid}"
            with open(temporary, "w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in kept))
            os.replace(temporary, self.path)

    def _stays(self, line: str) -> bool:
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            return True
        if len(fields) < 2 or not fields[1].isdecimal():
            return False
        return int(fields[1]) != self.pid and is_alive(int(fields[1]))


def is_alive(pid: int) -> bool:
    """Whether a process of that number exists; one of another user counts.

    Windows has no way to ask that does not end the process, so there every process counts as alive.
    """
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def started_ns(pid: int) -> int:
    """When the process started, in nanoseconds after the epoch; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        with open("/proc/stat", encoding="ascii", errors="replace") as file:
            booted = next(int(line.split()[1]) for line in file if line.startswith("btime "))
        return booted * 1_000_000_000 + int(fields[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return 0


@contextlib.contextmanager
def locked(directory: str) -> Iterator[None]:
    """One writer of a directory's file at a time, where the system has file locks: a rewrite never loses
    another's line. Raises ``OSError`` when the lock file cannot be made."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(os.path.join(directory, FILE + ".lock"), flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
