"""Real HTTP receivers on loopback, with faults."""

from __future__ import annotations

import http.server
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from common.caller import SYSTEM
from webhooks import services
from webhooks.models import Endpoint
from webhooks.types import EventType, NewEvent

Answer = Callable[["Handler"], None]


@dataclass
class Received:
    """One request that reached a receiver."""

    path: str
    headers: dict[str, str]
    body: bytes


class Handler(http.server.BaseHTTPRequestHandler):
    """Writes down each POST and answers as the receiver's next script step says."""

    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take(Received(self.path, dict(self.headers), body), self)

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with this status."""
    return lambda handler: handler.reply(code, body, **headers)


def reset(handler: Handler) -> None:
    """Drop the connection with a TCP reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def hang(handler: Handler) -> None:
    """Say nothing until the test ends."""
    handler.server.ended.wait(30)


def drip(handler: Handler) -> None:
    """Send header bytes one by one, each in time, never all."""
    try:
        while not handler.server.ended.wait(0.05):
            handler.wfile.write(b"H")
    except OSError:
        pass


class Receiver(http.server.ThreadingHTTPServer):
    """An HTTP server that remembers what it got. ``script`` is used up first; then ``usual`` answers."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[Received] = []
        self.script: list[Answer] = []
        self.usual: Answer = status(200, b"ok")
        self.arrived = threading.Condition()
        self.ended = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, request: Received, handler: Handler) -> None:
        with self.arrived:
            self.received.append(request)
            answer = self.script.pop(0) if self.script else self.usual
            self.arrived.notify_all()
        answer(handler)

    def wait_for(self, count: int, timeout: float = 10) -> list[Received]:
        """The requests, once so many have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, timeout), self.received
            return list(self.received)

    def handle_error(self, *args: Any) -> None:
        pass

    def stop(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()


@dataclass
class Receivers:
    """Makes receivers, and stops them at the end."""

    made: list[Receiver] = field(default_factory=list)

    def __call__(self, *script: Answer, usual: Answer | None = None) -> Receiver:
        receiver = Receiver()
        receiver.script = list(script)
        receiver.usual = usual or receiver.usual
        self.made.append(receiver)
        return receiver


def endpoint_for(receiver: Receiver, **fields: Any) -> Endpoint:
    """An endpoint that leads to the receiver; its ``endpoint_created`` event goes to nobody."""
    return services.create_endpoint(caller=SYSTEM, url=receiver.url, **fields)


def granted(repo: str = "org/app", **detail: Any) -> NewEvent:
    """A ``claim_granted`` event."""
    return NewEvent(EventType.CLAIM_GRANTED, repo, actor_engineer="alice", detail=detail)


def record(*events: NewEvent) -> list[int]:
    """Record events in a transaction of their own."""
    with transaction.atomic():
        return services.record(*events)
