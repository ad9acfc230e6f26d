"""Wakeups between processes that share one SQLite file: real processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WAITER = """
import asyncio, json, resource, time
import django
django.setup()
from common.wakeups import listening
from webhooks.models import Event

async def parked(seconds):
    async with listening("repo:never") as bell:
        return await bell.wait(seconds)

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

async def main():
    delays = []
    async with listening("repo:a") as bell:
        for _ in range(15):
            print("waiting", flush=True)
            woken = await bell.wait(10)
            now = time.time()
            event = await Event.objects.alatest("seq")
            assert woken and event.repo == "a", "woken by " + event.repo
            delays.append(now - event.detail["at"])
    waiters = [asyncio.create_task(parked(4)) for _ in range(100)]
    await asyncio.sleep(0.5)
    before, start = cpu(), time.perf_counter()
    await asyncio.sleep(3)
    share = (cpu() - before) / (time.perf_counter() - start)
    woken = await asyncio.gather(*waiters)
    print(json.dumps({"delays": delays, "cpu": share, "woken": any(woken)}), flush=True)

asyncio.run(main())
"""

WRITER = """
import sys, time
import django
django.setup()
from django.db import transaction
from webhooks.services import record
from webhooks.types import EventType, NewEvent

for line in sys.stdin:
    with transaction.atomic():
        record(NewEvent(EventType.CLAIM_GRANTED, line.strip(), detail={"at": time.time()}))
"""


def python(code: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "COORD_DATABASE_PATH": str(path), "DJANGO_SETTINGS_MODULE": "coordsite.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "coord.db"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT,
        env={**os.environ, "COORD_DATABASE_PATH": str(path)},
        check=True,
    )
    return path


@pytest.mark.system
def test_it_wakes_another_process_within_60_ms_and_costs_nothing_parked(database):
    with python(WAITER, database) as waiter, python(WRITER, database) as writer:
        try:
            for _ in range(15):
                assert waiter.stdout.readline() == "waiting\n"
                writer.stdin.write("other\na\n")
                writer.stdin.flush()
            result = json.loads(waiter.stdout.readline())
        finally:
            writer.stdin.close()
            waiter.kill()
    assert statistics.median(result["delays"]) < 0.06
    assert not result["woken"]
    assert result["cpu"] < 0.01
