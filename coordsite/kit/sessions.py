"""``sessions.live``: which agent processes work in this clone. One line each: ``session pid start_ns``.

A fourth word ``hook`` marks an agent's own line; the others are MCP bridges'. Bridge and hooks write the
file; hooks and guards read it to know whose claims are their own. A line counts only while its process
lives *and* started when the line says: numbers are reused.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from coordsite.bridge.marker import FILE, is_alive, locked, started_ns
from coordsite.kit import processes
from coordsite.kit.files import write_atomically

_SLACK_NS = 2_000_000_000
_MAX_BYTES = 262_144
_BRIDGE_DEPTH = 4


class Line(NamedTuple):
    """One line: the session, its process, the process's start in nanoseconds (0: not known), its writer."""

    session: str
    pid: int
    start_ns: int
    hook: bool = False

    @property
    def text(self) -> str:
        """The line as the file has it."""
        return f"{self.session} {self.pid} {self.start_ns}{' hook' if self.hook else ''}\n"

    @property
    def alive(self) -> bool:
        """Whether the process that wrote the line is still the one of that number."""
        if not is_alive(self.pid):
            return False
        actual = started_ns(self.pid)
        return not self.start_ns or not actual or abs(self.start_ns - actual) <= _SLACK_NS


def read(directory: str) -> list[Line]:
    """The well-formed lines of the file in a ``.coordination`` directory; none when there is no file."""
    try:
        with open(os.path.join(directory, FILE), encoding="utf-8", errors="replace") as file:
            text = file.read(_MAX_BYTES)
    except OSError:
        return []
    lines = []
    for row in text.splitlines():
        fields = row.split()
        if len(fields) >= 2 and not row.lstrip().startswith("#") and fields[1].isdecimal():
            start = int(fields[2]) if len(fields) > 2 and fields[2].isdecimal() else 0
            lines.append(Line(fields[0], int(fields[1]), start, fields[3:4] == ["hook"]))
    return lines


def unreadable(directory: str) -> list[str]:
    """The lines that are neither comments nor of the right shape."""
    try:
        with open(os.path.join(directory, FILE), encoding="utf-8", errors="replace") as file:
            rows = file.read(_MAX_BYTES).splitlines()
    except OSError:
        return []
    fields = [(row, row.split()) for row in rows if row.strip() and not row.lstrip().startswith("#")]
    return [row for row, parts in fields if len(parts) < 2 or not parts[1].isdecimal()]


def register(directory: str, session: str, pid: int) -> None:
    """Add an agent's line unless it stands there already. Never raises for a file that cannot be written."""
    with contextlib.suppress(OSError), locked(directory):
        line = Line(session, pid, started_ns(pid), hook=True)
        if line in read(directory):
            return
        with open(os.path.join(directory, FILE), "a", encoding="utf-8") as file:
            file.write(line.text)


def unregister(directory: str, session: str) -> None:
    """Take a session's lines out; the file goes with its last line. Lines of ended processes stay."""
    with contextlib.suppress(OSError), locked(directory):
        _write(directory, [line for line in read(directory) if line.session != session])


def prune(directory: str) -> int:
    """Take the lines of ended processes and malformed lines out; answers how many went."""
    with locked(directory):
        before = read(directory)
        living = [line for line in before if line.alive]
        gone = len(before) - len(living) + len(unreadable(directory))
        if gone:
            _write(directory, living)
        return gone


def _write(directory: str, lines: list[Line]) -> None:
    path = os.path.join(directory, FILE)
    if lines:
        write_atomically(path, "".join(line.text for line in lines))
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def bridges(directory: str, agent: int) -> list[str]:
    """The live sessions of the MCP bridges that the agent process ``agent`` started."""
    return _bridges([line for line in read(directory) if line.alive], agent)


def _bridges(lines: list[Line], agent: int) -> list[str]:
    """Bridge lines that descend from ``agent`` with no other agent between: an agent may start agents."""
    agents = {line.pid for line in lines if line.hook} - {agent}
    found = []
    for line in lines:
        above = [] if line.hook else processes.ancestors(line.pid)[:_BRIDGE_DEPTH]
        if agent in above and not agents.intersection(above[: above.index(agent)]):
            found.append(line.session)
    return list(dict.fromkeys(found))


def own(directory: str, explicit: str = "") -> list[str]:
    """Whose claims a commit or push of this process may carry.

    When an agent runs it, that agent's sessions: the nearest ancestor on the list, or the one that started
    a bridge on the list. Otherwise (a person at a terminal) every live session of this clone, for their
    work is what the clone holds. ``explicit`` is a session named by the environment.
    """
    lines = [line for line in read(directory) if line.alive]
    agents = {line.pid for line in lines if line.hook}
    parents = {processes.parent_of(line.pid) for line in lines if not line.hook}
    agent = next((pid for pid in processes.ancestors() if pid in agents or pid in parents), None)
    if agent is None:
        mine = [line.session for line in lines]
    else:
        mine = [line.session for line in lines if line.hook and line.pid == agent] + _bridges(lines, agent)
    return list(dict.fromkeys(([explicit] if explicit else []) + mine))


def ended(directory: str) -> list[str]:
    """Sessions of this clone whose process is gone: they left work here and nobody else carries it."""
    lines = read(directory)
    living = {line.session for line in lines if line.alive}
    return list(dict.fromkeys(line.session for line in lines if line.session not in living))
