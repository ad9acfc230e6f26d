"""Wakeups inside one process. Two processes: ``test_wakeups_between_processes.py``."""

from __future__ import annotations

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from common.wakeups import listening, publish

pytestmark = pytest.mark.django_db(transaction=True)


def in_transaction(*topics: str, rollback: bool = False) -> None:
    with transaction.atomic():
        publish(*topics)
        transaction.set_rollback(rollback)


def on_thread(work, *args):
    thread = threading.Thread(target=work, args=args)
    thread.start()
    return thread


async def test_it_wakes_outside_a_transaction_at_once():
    async with listening("repo:a") as bell:
        await sync_to_async(publish)("repo:a")
        assert await bell.wait(5)


async def test_it_wakes_after_commit():
    async with listening("repo:a") as bell:

        def change():
            with transaction.atomic():
                publish("repo:a")
                asyncio.run_coroutine_threadsafe(quiet(), loop).result(5)

        async def quiet():
            assert not await bell.wait(0.01)

        loop = asyncio.get_running_loop()
        await sync_to_async(change, thread_sensitive=False)()
        assert await bell.wait(5)


async def test_it_does_not_wake_after_a_rollback():
    async with listening("repo:a") as bell:
        await sync_to_async(in_transaction)("repo:a", rollback=True)
        assert not await bell.wait(0.01)


async def test_it_wakes_only_the_topics_listeners():
    async with listening("repo:a", "ticket:1") as both, listening("repo:b") as other:
        await sync_to_async(publish)("ticket:1", "ticket:1", "repo:c")
        assert await both.wait(5)
        assert not await both.wait(0.01), "one change is one wake"
        assert not await other.wait(0.01)


async def test_it_keeps_a_wake_that_comes_before_the_wait():
    async with listening("events") as bell:
        await sync_to_async(publish)("events")
        await asyncio.sleep(0)
        assert await bell.wait(0)


async def test_it_wakes_from_a_plain_thread():
    async with listening("events") as bell:
        on_thread(publish, "events")
        assert await bell.wait(5)


async def test_it_wakes_listeners_of_several_loops():
    woken = []

    async def listen(ready):
        async with listening("events") as bell:
            ready.set()
            woken.append(await bell.wait(5))

    readies = [threading.Event() for _ in range(3)]
    threads = [on_thread(lambda ready=ready: asyncio.run(listen(ready))) for ready in readies]
    for ready in readies:
        assert await asyncio.to_thread(ready.wait, 5)
    await sync_to_async(publish)("events")
    for thread in threads:
        await asyncio.to_thread(thread.join, 5)
    assert woken == [True] * 3


async def test_it_survives_a_loop_that_is_gone():
    context = {}

    def abandoned():
        async def enter():
            context["kept"] = listening("events")
            await context["kept"].__aenter__()

        asyncio.run(enter())

    await asyncio.to_thread(abandoned)
    async with listening("events") as bell:
        await sync_to_async(publish)("events")
        assert await bell.wait(5)


def test_it_publishes_to_nobody_without_a_loop():
    publish("events")
    in_transaction("events")
    publish()


async def test_it_wakes_a_thousand_listeners():
    entered, woken = 0, []
    ready = asyncio.Event()

    async def park():
        nonlocal entered
        async with listening("events") as bell:
            entered += 1
            if entered == 1000:
                ready.set()
            woken.append(await bell.wait(10))

    parked = [asyncio.create_task(park()) for _ in range(1000)]
    await ready.wait()
    await sync_to_async(publish)("events")
    await asyncio.gather(*parked)
    assert woken == [True] * 1000
    assert len(asyncio.all_tasks()) == 1
