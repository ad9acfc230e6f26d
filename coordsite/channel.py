"""HTTP connections: Twisted's channel and daphne's request, with this service's limits.

What they do for cases that this service does not have (TLS, HTTP/2, a timer and a registration with the
selector per request) is left out: it would cost more than many a request itself.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.utils import HEADER_NAME_RE, INVALID_HEADER_VALUE_BYTES
from twisted.web import http

from coordsite.gate import MOST_BODY

_INVALID = bytes(INVALID_HEADER_VALUE_BYTES)


class Channel(http.HTTPChannel):
    """One connection. What is written for a request waits for :meth:`flush`."""

    transport: Any
    factory: Any
    timeOut: Any

    def __init__(self) -> None:
        super().__init__()
        self._unsent: list[bytes] = []
        self._alarm: Any = None
        self._last = 0.0

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """Twisted's head of a response, with the headers as they were checked when they were set."""
        lines = [b"%s %s %s" % (version, code, reason)]
        lines += [
            b"%s: %s" % (name, value) for name, values in headers.getAllRawHeaders() for value in values
        ]
        self._unsent.append(b"\r\n".join([*lines, b"\r\n"]))

    def write(self, data: bytes) -> None:
        """A piece of a response."""
        self._unsent.append(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Pieces of a response."""
        self._unsent.extend(iovec)

    def flush(self) -> None:
        """Send what was written, at once as far as the socket takes it; the transport sends the rest."""
        if not self._unsent:
            return
        data, transport = b"".join(self._unsent), self.transport
        self._unsent.clear()
        if transport.connected and not transport.dataBuffer and not transport._tempDataBuffer:
            sent = transport.writeSomeData(data)
            if isinstance(sent, int):  # else the connection is lost, as the transport will notice
                data = data[sent:]
        if data:
            transport.write(data)

    def requestDone(self, request: Any) -> None:
        """The response has ended: it leaves before anything that the next request causes."""
        self.flush()
        super().requestDone(request)

    def setTimeout(self, period: float | None) -> Any:
        """As Twisted's, with a timer that is left running and looks, when it rings, whether it is time."""
        before, self.timeOut = self.timeOut, period
        self.resetTimeout()
        if period is not None and self._alarm is None:
            self._alarm = self.callLater(period, self._ring)
        return before

    def resetTimeout(self) -> None:
        """The client was heard of."""
        self._last = self.factory.reactor.seconds()

    def _ring(self) -> None:
        self._alarm = None
        if self.timeOut is None:
            return
        left = self._last + self.timeOut - self.factory.reactor.seconds()
        if left > 0:
            self._alarm = self.callLater(left, self._ring)
        else:
            self.timeoutConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """The connection has ended."""
        super().connectionLost(reason)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    @functools.cached_property
    def _ends(self) -> tuple[Any, Any]:
        return self.transport.getPeer(), self.transport.getHost()

    def getPeer(self) -> Any:
        """The client's address."""
        return self._ends[0]

    def getHost(self) -> Any:
        """The address that the client reached."""
        return self._ends[1]

    def isSecure(self) -> bool:
        """Never: TLS ends in front of this service."""
        return False

    def lineLengthExceeded(self, line: bytes) -> None:
        """Answer a request whose first line or header line is longer than 16 KiB, and hang up."""
        if getattr(self, "_HTTPChannel__first_line", True):
            status, detail = "414 URI Too Long", "The path and query are longer than 16 KiB"
            advice = "Use POST /conflicts/batch for many patterns."
        else:
            status, detail = "431 Request Header Fields Too Large", "A header is longer than 16 KiB"
            advice = "Send shorter headers."
        problem = {
            "detail": detail,
            "code": "too_large",
            "retryable": False,
            "retry_after_s": None,
            "next": advice,
        }
        body = json.dumps(problem).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.loseConnection()


class BoundedRequest(WebRequest):
    """Stores no more of a body than any path allows; the handler sees that it was too much."""

    channel: Any
    content: Any
    received = 0
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)  # Django reads forms

    def handleContentChunk(self, data: bytes) -> None:
        """Twisted hands over what arrived."""
        if self.received <= MOST_BODY:
            super().handleContentChunk(data)
        self.received += len(data)

    def process(self) -> Any:
        """Give a plain request to the application; anything else (websockets, bad headers) as daphne does."""
        headers = self._plain_headers()
        server = self.server
        if headers is None or server.root_path or server.proxy_forwarded_address_header:
            return super().process()
        self.request_start = time.time()
        self.client_scheme = "http"
        self.client_addr = [str(self.client.host), self.client.port]
        self.server_addr = [str(self.host.host), self.host.port]
        _, _, self.query_string = self.uri.partition(b"?")
        self.clean_headers, self.root_path = headers, ""
        self.application_queue = server.create_application(
            self,
            {
                "type": "http",
                "http_version": self.clientproto.split(b"/")[-1].decode("ascii"),
                "method": self.method.decode("ascii"),
                "path": unquote(self.path.decode("ascii")),
                "raw_path": self.path,
                "root_path": "",
                "scheme": "http",
                "query_string": self.query_string,
                "headers": headers,
                "client": self.client_addr,
                "server": self.server_addr,
            },
        )
        if self.application_queue is not None:
            self.content.seek(0)
            body = {"type": "http.request", "body": self.content.read(), "more_body": False}
            self.application_queue.put_nowait(body)
        return None

    def _plain_headers(self) -> list[tuple[bytes, bytes]] | None:
        """The headers with names in lower case; ``None`` when there is anything in the request to look at."""
        if not (self.uri.isascii() and self.method.isascii() and self.clientproto.isascii()):
            return None
        found = []
        for name, values in self.requestHeaders.getAllRawHeaders():
            plain = _plain_name(name)
            if plain is None:
                return None
            for value in values:
                if len(value.translate(None, _INVALID)) != len(value):
                    return None
                found.append((plain, value))
        return found

    def handle_reply(self, message: Any) -> None:
        """A part of the response, sent as soon as the application gave it."""
        channel = self.channel
        super().handle_reply(message)
        if channel is not None:
            channel.flush()


@functools.lru_cache(maxsize=256)
def _plain_name(name: bytes) -> bytes | None:
    """A header's name in lower case; ``None`` for one that is invalid or means something to daphne."""
    lower = name.lower()
    special = b"_" in lower or lower in (b"upgrade", b"daphne-root-path")
    return None if special or not HEADER_NAME_RE.fullmatch(name) else lower


class BoundedFactory(HTTPFactory):
    """Connections whose requests are bounded."""

    protocol: Any = Channel

    def buildProtocol(self, addr: Any) -> Any:
        """One connection."""
        channel = super().buildProtocol(addr)
        channel.requestFactory = BoundedRequest
        return channel

    def log(self, request: Any) -> None:
        """Nothing: the gate writes the access log."""
