"""A connection of the service: what is sent when, and when an idle one ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock

from coordsite.channel import Channel


class Socket:
    """A transport whose socket takes ``room`` bytes at once, or is broken."""

    def __init__(self, room: int = 1000) -> None:
        self.room, self.sent, self.buffered = room, b"", b""
        self.connected, self.broken, self.closed = 1, False, False
        self._tempDataBuffer: list[bytes] = []

    @property
    def dataBuffer(self) -> bytes:
        return self.buffered

    def writeSomeData(self, data: bytes) -> Any:
        if self.broken:
            return ConnectionError("gone")
        taken = data[: self.room]
        self.sent += taken
        return len(taken)

    def write(self, data: bytes) -> None:
        self.buffered += data

    def loseConnection(self) -> None:
        self.closed = True

    def getPeer(self) -> str:
        return "alice"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def channel(clock) -> Any:
    made = Channel()
    made.transport = Socket()
    made.factory = SimpleNamespace(reactor=clock)
    made.callLater = clock.callLater
    made._networkProducer = SimpleNamespace(unregisterProducer=lambda: None, resumeProducing=lambda: None)
    return made


def test_a_response_leaves_in_one_piece(channel):
    channel.writeSequence([b"head ", b"and "])
    channel.write(b"body")
    assert channel.transport.sent == b""
    channel.flush()
    assert (channel.transport.sent, channel.transport.buffered) == (b"head and body", b"")
    channel.flush()
    assert channel.transport.sent == b"head and body"


def test_what_the_socket_does_not_take_is_the_transports(channel):
    channel.transport.room = 4
    channel.write(b"head and body")
    channel.flush()
    assert (channel.transport.sent, channel.transport.buffered) == (b"head", b" and body")


def test_nothing_passes_what_waits_already(channel):
    channel.transport.buffered = b"first "
    channel.write(b"second")
    channel.flush()
    assert (channel.transport.sent, channel.transport.buffered) == (b"", b"first second")


def test_a_broken_socket_is_for_the_transport_to_notice(channel):
    channel.transport.broken = True
    channel.write(b"body")
    channel.flush()
    assert channel.transport.buffered == b"body"


def test_an_idle_connection_ends_when_its_time_is_over(channel, clock):
    channel.setTimeout(60)
    clock.advance(50)
    channel.resetTimeout()
    clock.advance(59)
    assert not channel.transport.closed
    clock.advance(1)
    assert channel.transport.closed


def test_a_request_under_way_has_no_time_limit(channel, clock):
    channel.setTimeout(60)
    clock.advance(30)
    assert channel.setTimeout(None) == 60
    clock.advance(1000)
    channel.setTimeout(60)
    clock.advance(59)
    assert not channel.transport.closed
    clock.advance(1)
    assert channel.transport.closed


def test_an_ended_connection_leaves_no_timer(channel, clock):
    channel.setTimeout(60)
    channel.connectionLost()
    assert clock.getDelayedCalls() == []
