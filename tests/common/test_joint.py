"""Reads that many make at the same moment."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from common import joint as joint_reads
from common.api import lane, use_lane
from common.joint import joint


class Reads:
    """Counts its reads; each answers with its number, when it may."""

    def __init__(self):
        self.count = 0
        self.began = threading.Event()
        self.goes_on = threading.Event()

    def __call__(self):
        self.count += 1
        number = self.count
        self.began.set()
        self.goes_on.wait()
        return number


@pytest.fixture
def read():
    return Reads()


@pytest.fixture
def busy():
    """The one lane, and what it waits for before it works on anything else."""
    with ThreadPoolExecutor(1) as calls:
        use_lane(calls, None)
        free = threading.Event()
        calls.submit(free.wait)
        yield free
        free.set()
        use_lane(None)


async def asked(key, read):
    """Somebody who has asked, and waits."""
    task = asyncio.create_task(joint(key, read))
    await asyncio.sleep(0)
    return task


async def test_who_asks_before_it_began_gets_its_answer(busy, read):
    alice, bob, carol = [await asked("same", read) for _ in range(3)]
    busy.set()
    read.goes_on.set()
    assert [await alice, await bob, await carol] == [1, 1, 1]
    assert read.count == 1
    assert joint_reads._next == {}


async def test_who_asks_after_it_began_gets_a_newer_one(busy, read):
    alice = await asked("same", read)
    busy.set()
    await asyncio.to_thread(read.began.wait)
    bob = await asked("same", read)
    read.goes_on.set()
    assert [await alice, await bob] == [1, 2]


async def test_another_question_is_another_read(busy, read):
    alice, bob = await asked("one", read), await asked("other", read)
    busy.set()
    read.goes_on.set()
    assert {await alice, await bob} == {1, 2}


async def test_who_leaves_takes_nothing_from_the_others(busy, read):
    alice, bob = await asked("same", read), await asked("same", read)
    alice.cancel()
    busy.set()
    read.goes_on.set()
    assert await bob == 1
    with pytest.raises(asyncio.CancelledError):
        await alice


async def test_all_hear_of_a_failure(busy):
    def fail():
        raise LookupError("nothing there")

    alice, bob = await asked("same", fail), await asked("same", fail)
    busy.set()
    for task in (alice, bob):
        with pytest.raises(LookupError, match="nothing there"):
            await task


async def test_nothing_stays_behind_when_all_leave(busy, read):
    alice = await asked("same", read)
    alice.cancel()
    with pytest.raises(asyncio.CancelledError):
        await alice
    busy.set()
    read.goes_on.set()
    await lane(str)
    await asyncio.sleep(0)
    assert joint_reads._next == {}
