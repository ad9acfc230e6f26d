"""Running the web process and the task cluster as one service: one command, one Ctrl-C, one log.

Each child leads a process group of its own, so that nothing of a killed child stays behind, and holds the
end of a pipe, so that it ends with its supervisor however that ended.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SUPERVISOR_FD = "COORD_SUPERVISOR_FD"
READY_FD = "COORD_READY_FD"
MOST_NOTE = 1000
"""Bytes of what a process may say with its word that it is ready."""
STOP_S = 25.0
"""How long children may take to stop, in seconds."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A child that ran this long before it failed starts again without a pause, in seconds."""


class NotReady(Exception):
    """The web process did not come up; ``code`` is its exit code, or 1 when it took too long. The reason is
    empty when the process has said itself what is wrong.
    """

    def __init__(self, reason: str, code: int = 1) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(slots=True)
class Child:
    """One process to keep running."""

    name: str
    argv: list[str]
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    pause: float = 0.0
    due: float = 0.0
    pass_fds: tuple[int, ...] = field(default=())
    variables: Mapping[str, str] = field(default_factory=dict)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it in a process group of its own."""
        self.process = subprocess.Popen(
            self.argv,
            env={**environment, **self.variables},
            stdin=subprocess.DEVNULL,
            process_group=0,
            pass_fds=self.pass_fds,
        )
        self.began = time.monotonic()

    def ask_to_stop(self) -> None:
        """Ask the child alone: it ends its own children in order. They die on a signal of their own while
        it talks to them, and then it waits for their answer forever.
        """
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End the whole group at once."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def ended(self) -> int | None:
        """The exit code once it ended; what it left behind in its group is killed."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.kill()
        self.process = None
        return code

    def put_off(self) -> float:
        """Decide when to start again, and return the pause in seconds."""
        now = time.monotonic()
        steady = now - self.began > STEADY_S
        self.pause = 0.0 if steady else min(max(self.pause * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self.due = now + self.pause
        return self.pause


class Supervisor:
    """Keeps the children running until told to stop: a web process per port, and the task cluster."""

    def __init__(self, environment: Mapping[str, str], ports: Sequence[int]) -> None:
        self.ports = ports
        self.leash, held = os.pipe()
        self._held = held  # never passed on: it closes with this process
        self.environment = {**environment, SUPERVISOR_FD: str(self.leash)}
        self.webs = [self._web(port) for port in ports]
        self.cluster = Child("cluster", [sys.executable, "-m", "coordsite.cluster"], pass_fds=(self.leash,))
        self.children = list(self.webs)
        self.stopping = False
        self.note = ""
        """What the first web process said when it was ready."""

    def _web(self, port: int) -> Child:
        name = "web" if port == self.ports[0] else f"web on port {port}"
        argv = [sys.executable, "-m", "coordsite.server"]
        return Child(name, argv, pass_fds=(self.leash,), variables={"COORD_PORT": str(port)})

    def start_web(self, timeout: float) -> None:
        """Start the web processes, one after the other, and wait until each listens. Raises
        :class:`NotReady`.
        """
        for web in self.webs:
            self._start_web(web, timeout)

    def _start_web(self, web: Child, timeout: float) -> None:
        listening, said = os.pipe()
        try:
            web.pass_fds = (self.leash, said)
            web.start({**self.environment, READY_FD: str(said)})
            web.pass_fds = (self.leash,)
        finally:
            os.close(said)
        try:
            readable, _, _ = select.select([listening], [], [], timeout)
            if readable and (said_ready := os.read(listening, 1 + MOST_NOTE)):
                self.note = self.note or said_ready[1:].decode()
                return
        finally:
            os.close(listening)
        if self.stopping:
            raise NotReady("stopped", 0)
        if not readable:
            raise NotReady(f"The service was not ready within {timeout:g} s")
        assert web.process is not None
        with suppress(subprocess.TimeoutExpired):
            web.process.wait(5)
        code = web.process.returncode
        if code is not None and code > 0:
            raise NotReady("", code)
        raise NotReady(f"The service did not start ({describe(code or 0)})")

    def start_cluster(self) -> None:
        """Start the task cluster, once the database is migrated."""
        self.cluster.start(self.environment)
        self.children.append(self.cluster)

    def keep(self) -> None:
        """Restart whatever ends, with growing pauses, until :meth:`stop`."""
        while not self.stopping:
            with suppress(InterruptedError):
                _wait_for_news(self._pause())
            for child in self.children:
                if (code := child.ended()) is not None and not self.stopping:
                    pause = child.put_off()
                    say(f"{child.name} ended ({describe(code)}); it starts again in {pause:g} s")
                elif child.process is None and not self.stopping and time.monotonic() >= child.due:
                    child.start(self.environment)

    def _pause(self) -> float:
        due = [child.due for child in self.children if child.process is None]
        return max(0.02, min([1.0, *(moment - time.monotonic() for moment in due)]))

    def stop(self, *_: object) -> None:
        """Stop at the next look. Usable as a signal handler; the second time, kill."""
        if self.stopping:
            for child in self.children:
                child.kill()
        self.stopping = True

    def end(self) -> None:
        """Stop the children in order of dependence and wait; kill what does not listen."""
        for child in (self.cluster, *self.webs):
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_S
        for child in (self.cluster, *self.webs):
            if child.process is not None:
                try:
                    child.process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    say(f"{child.name} did not stop within {STOP_S:g} s; it is killed")
            child.kill()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """SIGTERM, SIGINT and SIGHUP stop the service while the block runs."""
        global _wake
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        _wake = reader
        handlers = {number: signal.signal(number, self.stop) for number in _STOPS}
        handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            _wake = -1
            os.close(reader)
            os.close(writer)


_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_wake = -1


def _wait_for_news(timeout: float) -> None:
    """Wait for a signal (a child's end among them), at most ``timeout`` seconds."""
    if _wake < 0:
        time.sleep(timeout)
        return
    readable, _, _ = select.select([_wake], [], [], timeout)
    if readable:
        os.read(_wake, 512)


def describe(code: int) -> str:
    """An exit code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def say(text: str) -> None:
    """One line for the log."""
    print(f"coord: {text}", file=sys.stderr, flush=True)


def tell_ready(note: str = "") -> bool:
    """Tell whoever started this process that it is ready, and a note; whether anybody wanted to know."""
    given = os.environ.pop(READY_FD, "")
    if given:
        with suppress(OSError):
            os.write(int(given), b"r" + note.encode()[:MOST_NOTE])
        os.close(int(given))
    return bool(given)


def follow_supervisor() -> None:
    """End with the supervisor, however it ended: its end of the pipe closes with it."""
    import threading

    given = os.environ.pop(SUPERVISOR_FD, "")
    if not given:
        return
    descriptor = int(given)
    os.set_inheritable(descriptor, False)

    def watch() -> None:
        while os.read(descriptor, 1):
            continue
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor", daemon=True).start()
