"""A lossy way to a replica: a proxy that swallows answers after the replica acted."""

from __future__ import annotations

import random
import re
import selectors
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

NOT_SENT = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
"""What a client hears of a call that nobody took: it may be sure that nothing was done."""
_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d+)")


class Gone(Exception):
    """The other side has hung up."""


class Proxy:
    """Listens on a port of its own and passes calls on to ``upstream``; ``swallow`` is the share of answers
    that never arrive: the client's connection is closed instead. A client that hangs up while it waits is
    hung up on the replica too. A context manager.
    """

    def __init__(self, upstream: int, swallow: float, seed: str) -> None:
        self.upstream, self.swallow = upstream, swallow
        self.random = random.Random(seed)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.door.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, name=f"proxy-{self.upstream}", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.door.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server: socket.socket | None = None
        with client, suppress(Gone, OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while True:
                    call = _message(client)
                    if server is None:
                        server = self._connect()
                    if server is None:
                        client.sendall(NOT_SENT)
                        continue
                    server.sendall(call)
                    _wait(server, client)
                    answer = _message(server)
                    if self.random.random() < self.swallow:
                        return
                    client.sendall(answer)
            finally:
                if server is not None:
                    server.close()

    def _connect(self) -> socket.socket | None:
        try:
            server = socket.create_connection(("127.0.0.1", self.upstream))
        except OSError:
            return None
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server


def _wait(server: socket.socket, client: socket.socket) -> None:
    """Wait for the answer. Raises :class:`Gone` when the client does not."""
    with selectors.DefaultSelector() as ready:
        ready.register(server, selectors.EVENT_READ)
        ready.register(client, selectors.EVENT_READ)
        if server not in [key.fileobj for key, _ in ready.select()]:
            raise Gone


def _message(end: socket.socket) -> bytes:
    """One request or answer: a head, and a body as long as it says."""
    text = b""
    while (cut := text.find(b"\r\n\r\n")) < 0:
        text += _more(end)
    length = _LENGTH.search(text, 0, cut)
    whole = cut + 4 + (int(length[1]) if length else 0)
    while len(text) < whole:
        text += _more(end)
    return text


def _more(end: socket.socket) -> bytes:
    piece = end.recv(65536)
    if not piece:
        raise Gone
    return piece
