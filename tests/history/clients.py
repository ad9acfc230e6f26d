"""Clients that claim, release and check at random, through lossy proxies, and write down what they saw."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.history.model import EVERYTHING, Op

REPO = "org/app"
NEVER = float("inf")
RETRY_S = 15.0
"""How long a client repeats a call that got no answer, in seconds."""


UNSENT = -1
"""The status of a call that could not be sent: nobody listens."""


class Lost(Exception):
    """No answer came."""


class Unsent(Lost):
    """The call never left."""


@dataclass(slots=True)
class History:
    """What all clients saw."""

    ops: list[Op] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, *ops: Op) -> None:
        """Note operations."""
        with self.lock:
            self.ops += ops

    def count(self, status: int) -> None:
        """Note an answer's status; 0 is a lost one, -1 a call that never left."""
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def complain(self, text: str) -> None:
        """Note an answer that no client should ever see."""
        with self.lock:
            self.broken.append(text)


@dataclass(frozen=True, slots=True)
class Wire:
    """How unreliable the way to the service is: shares of all calls."""

    swallow: float = 0.0
    """The service acts and answers; the answer never arrives (:mod:`tests.history.proxy`)."""
    duplicate: float = 0.0
    """The call arrives twice, at once, at two replicas."""


class Connection:
    """Kept connections to the replicas, one per port."""

    def __init__(self, token: str, session: str) -> None:
        self.token, self.session = token, session
        self.open: dict[int, http.client.HTTPConnection] = {}

    def call(self, port: int, method: str, path: str, body: Any, key: str, timeout: float) -> tuple[int, Any]:
        """Status and body. Raises :class:`Lost`."""
        connection = self.open.pop(port, None) or http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {self.token}", "X-Coord-Session": self.session}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        try:
            connection.timeout = timeout
            if connection.sock is None:
                self._connect(connection)
            assert connection.sock is not None
            connection.sock.settimeout(timeout)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            raw = answer.read()
            if answer.status == 502:
                raise Unsent("the proxy found nobody")
            found = answer.status, json.loads(raw or b"null")
        except Unsent:
            connection.close()
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise Lost(str(error)) from None
        self.open[port] = connection
        return found

    @staticmethod
    def _connect(connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except OSError as error:
            raise Unsent(str(error)) from None

    def close(self) -> None:
        """Hang up."""
        for connection in self.open.values():
            connection.close()


class Client(threading.Thread):
    """One party at work until told to stop."""

    def __init__(
        self,
        number: int,
        ports: Sequence[int],
        token: str,
        history: History,
        wire: Wire,
        seed: int,
        groups: int,
        stop: threading.Event,
    ) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.party = f"agent{number}"
        self.ports, self.history, self.wire, self.stop = ports, history, wire, stop
        self.random = random.Random(f"{seed}/{number}")
        self.connection = Connection(token, self.party)
        self.second = Connection(token, self.party)
        self.patterns = [f"g{g}/{name}" for g in range(groups) for name in ("a.py", "b.py", EVERYTHING)]
        self.mine: dict[str, str] = {}
        self.doubled = False

    def run(self) -> None:
        """Work."""
        try:
            while not self.stop.is_set():
                self.act()
        except Exception as error:
            self.history.complain(f"{self.party} stopped: {error!r}")
        finally:
            self.connection.close()
            self.second.close()

    def act(self) -> None:
        """One random operation."""
        dice = self.random.random()
        if self.mine and dice < 0.45:
            self.release(self.random.choice(sorted(self.mine)))
        elif dice < 0.75:
            self.claim(self.random.choice(self.patterns), self.random.choice((0, 0, 0, 1)))
        else:
            self.check(self.random.choice(self.patterns))

    def claim(self, pattern: str, wait: float = 0) -> None:
        """Ask for a pattern; repeat with the same key until an answer comes."""
        body = {
            "engineer": self.party,
            "session_id": self.party,
            "repo": REPO,
            "claims": [{"type": "file", "pattern": pattern}],
            "wait_seconds": wait,
        }
        key, first = uuid.uuid4().hex, time.monotonic_ns()
        lost: list[Op] = []
        end = time.monotonic() + RETRY_S
        self.doubled = False
        while True:
            called = time.monotonic_ns()
            made = f"{self.party} claim {pattern}"
            status, answer, port = self._send("POST", "/claims", body, key, wait + 3)
            op = self._told(answer, status, pattern, first if not wait else called, port, made)
            if op is not None:
                break
            if status not in (
                409,
                UNSENT,
            ):  # 409 in_flight: the earlier attempt still waits, and is noted already
                lost += self._lost_claim(pattern, called, port, wait)
            if time.monotonic() > end or self.stop.is_set():
                self.history.add(*lost)
                return
            time.sleep(0.05)
        if self.doubled:
            lost += self._lost_claim(pattern, first, port, wait)
        if op.answer == "granted":
            self.mine[pattern] = op.claim_id or ""
            if not wait:
                lost = []  # one key, one effect: it lies between the first attempt and this answer
        self.history.add(*lost, op)

    def _lost_claim(self, pattern: str, called: int, port: int, wait: float) -> list[Op]:
        """A claim of which it is not known what came; what a vanished waiter got is given back."""
        kinds = ("claim", "giveback") if wait else ("claim",)
        return [self._op(kind, pattern, called, NEVER, "lost", port) for kind in kinds]

    def release(self, pattern: str) -> None:
        """Give a claim up; repeat until an answer comes."""
        claim_id = self.mine.pop(pattern)
        lost: list[Op] = []
        end = time.monotonic() + RETRY_S
        while True:
            called = time.monotonic_ns()
            body = {"claim_ids": [claim_id], "engineer": self.party}
            status, answer, port = self._send("POST", "/claims/release", body, "", 3)
            if status == 200:
                told = "released" if answer["released"] else "nothing"
                if answer["released"]:
                    lost = []
                op = self._op("release", pattern, called, time.monotonic_ns(), told, port, claim_id=claim_id)
                self.history.add(*lost, op)
                return
            if status != UNSENT:
                lost.append(self._op("release", pattern, called, NEVER, "lost", port, claim_id=claim_id))
            if time.monotonic() > end or self.stop.is_set():
                self.history.add(*lost)
                return
            time.sleep(0.05)

    def check(self, pattern: str) -> bool:
        """Ask who is in the way; whether an answer came."""
        called = time.monotonic_ns()
        path = f"/conflicts?engineer={self.party}&session_id={self.party}&repo={REPO}&pattern={pattern}"
        status, answer, port = self._send("GET", path, None, "", 3)
        if status == 200:
            seen = frozenset(c["claim_id"] for c in answer["conflicts"] if c["kind"] == "held")
            self.history.add(self._op("check", pattern, called, time.monotonic_ns(), "seen", port, seen=seen))
        return status == 200

    def _told(self, answer: Any, status: int, pattern: str, called: int, port: int, made: str) -> Op | None:
        """The operation that an answer to a claim ends; ``None`` when it has to be repeated."""
        now = time.monotonic_ns()
        if status == 200:
            [claim] = answer["claims"]
            told = {"claim_id": claim["id"], "fence": claim["fence"]}
            return self._op("claim", pattern, called, now, "granted", port, **told)
        if status in (UNSENT, 0, 503) or (status == 409 and answer["code"] == "in_flight"):
            return None
        if status == 409 and answer["code"] == "conflict":
            held = [c["conflicting_claim"]["id"] for c in answer["conflicts"] if c["kind"] == "held"]
            return self._op("claim", pattern, called, now, "refused", port, seen=frozenset(held))
        if status != 409:
            self.history.complain(f"{made} was answered {status}: {str(answer)[:300]}")
        return self._op("claim", pattern, called, now, "put_off", port)

    def _send(self, method: str, path: str, body: Any, key: str, timeout: float) -> tuple[int, Any, int]:
        """One attempt through the lossy wire: status (0: no answer), body, port."""
        port = self.random.choice(self.ports)
        twin = None
        if key and self.random.random() < self.wire.duplicate:
            other = self.random.choice(self.ports)
            self.doubled = True
            twin = threading.Thread(target=self._quietly, args=(other, method, path, body, key, timeout))
            twin.start()
        try:
            status, answer = self.connection.call(port, method, path, body, key, timeout)
        except Unsent:
            status, answer = UNSENT, None
        except Lost:
            status, answer = 0, None
        finally:
            if twin is not None:
                twin.join()
        self.history.count(status)
        if status >= 500 and status != 503:
            self.history.complain(f"{method} {path} was answered {status}: {str(answer)[:300]}")
        return status, answer, port

    def _quietly(self, port: int, method: str, path: str, body: Any, key: str, timeout: float) -> None:
        """The other copy of a duplicated call: nobody hears its answer."""
        try:
            self.second.call(port, method, path, body, key, timeout)
        except Lost:
            return

    def _op(
        self, kind: str, pattern: str, called: int, returned: float, answer: str, port: int, **more: Any
    ) -> Op:
        return Op(self.party, kind, pattern, called, returned, answer, where=str(port), **more)
