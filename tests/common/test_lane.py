"""The lanes: where synchronous work of a serving process runs."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.api import aside, lane, use_lane


@pytest.fixture
def lanes():
    with ThreadPoolExecutor(1) as calls, ThreadPoolExecutor(1) as upkeep:
        use_lane(calls, None, upkeep)
        yield
        use_lane(None)


def fail():
    raise LookupError("nothing there")


async def test_it_brings_back_what_the_call_returned_or_raised(lanes):
    assert await lane(sorted, [2, 1], reverse=True) == [2, 1]
    with pytest.raises(LookupError, match="nothing there"):
        await lane(fail)


async def test_what_runs_aside_does_not_queue_behind_calls(lanes):
    goes_on = threading.Event()
    busy = asyncio.create_task(lane(goes_on.wait))
    behind = asyncio.create_task(lane(str, 1))
    assert await aside(str, 2) == "2"
    assert not behind.done()
    goes_on.set()
    assert (await busy, await behind) == (True, "1")


async def test_a_cancelled_call_that_has_begun_is_waited_for(lanes):
    began, goes_on, ended = threading.Event(), threading.Event(), []

    def work():
        began.set()
        goes_on.wait()
        ended.append(True)

    task = asyncio.create_task(lane(work))
    await asyncio.to_thread(began.wait)
    task.cancel()
    await aside(goes_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended


async def test_a_cancelled_call_that_has_not_begun_never_runs(lanes):
    goes_on, ran = threading.Event(), []
    busy = asyncio.create_task(lane(goes_on.wait))
    task = asyncio.create_task(lane(ran.append, 1))
    await aside(str, "both are in the queue")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    await busy
    assert ran == []
