"""Wakes through a networked channel layer: sent before the change goes on, received by one receiver."""

from __future__ import annotations

import asyncio
import threading

import pytest

from common import watchers
from common.watchers import CHANNEL, PROCESS, Watch

WAKE = {"type": "coord.wake", "process": "another", "topics": ["repo:a"]}


class Layer:
    """A layer that a test is the other side of. Cut off while it receives, it would leave the channel."""

    def __init__(self):
        self.come = asyncio.Queue()
        self.joined = []
        self.receivers = self.cut = 0

    async def new_channel(self):
        return "mine"

    async def group_add(self, group, channel):
        self.joined.append((group, channel))

    async def group_discard(self, group, channel):
        self.joined.remove((group, channel))

    async def receive(self, channel):
        self.receivers += 1
        try:
            return await self.come.get()
        except asyncio.CancelledError:
            self.cut += 1
            raise


async def test_one_receiver_stays_while_it_looks_whether_anybody_listens(monkeypatch):
    monkeypatch.setattr(watchers, "LOOK_S", 0.001)
    layer, rung, looks, loop = Layer(), [], [], asyncio.get_running_loop()

    def wanted():
        looks.append((layer.receivers, layer.cut))
        if len(looks) == 4:
            for wake in (WAKE, {**WAKE, "process": PROCESS}):
                asyncio.run_coroutine_threadsafe(layer.come.put(wake), loop).result(5)
        assert layer.joined == [(CHANNEL, "mine")]
        return len(looks) < 10

    watch = Watch(rung.append)
    monkeypatch.setattr(watch, "_wanted", wanted)
    await watch._receive(layer)
    assert looks[1:4] == [(1, 0)] * 3
    assert rung == [["repo:a"]], "its own wakes it has rung itself"
    assert (layer.receivers, layer.cut, layer.joined) == (3, 1, [])


class Outgoing:
    """A layer that keeps what it is given, once it is free."""

    def __init__(self):
        self.sent = []
        self.free = asyncio.Event()
        self.begun = threading.Event()

    async def group_send(self, group, message):
        self.begun.set()
        await self.free.wait()
        self.sent.append((group, message))


@pytest.fixture
def sender():
    sender = watchers._Sender()
    yield sender
    loop = sender.loop()
    loop.call_soon_threadsafe(loop.stop)


def test_a_wake_is_on_its_way_before_the_change_goes_on(sender):
    layer = Outgoing()
    layer.free.set()
    sender.send(layer, WAKE)
    assert layer.sent == [(CHANNEL, WAKE)]


def test_a_layer_that_hangs_is_waited_for_once(sender, monkeypatch):
    layer = Outgoing()
    monkeypatch.setattr(watchers, "PATIENCE_S", 0.01)
    sender.send(layer, WAKE)
    monkeypatch.setattr(watchers, "PATIENCE_S", 3600)
    layer.begun.clear()
    sender.send(layer, WAKE)
    assert layer.begun.wait(30), "sent all the same"
    assert layer.sent == []
    sender.loop().call_soon_threadsafe(layer.free.set)
    sender._patient_from = 0.0
    sender.send(layer, WAKE)
    assert len(layer.sent) == 3
