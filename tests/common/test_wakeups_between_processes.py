"""Wakeups between processes that share one SQLite file: real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WAITER = """
import asyncio, json
import django
django.setup()
from common.wakeups import listening
from webhooks.models import Event

async def main():
    async with listening("repo:a") as bell, listening("repo:never") as quiet:
        for _ in range(5):
            print("waiting", flush=True)
            woken = await bell.wait(30)
            event = await Event.objects.alatest("seq")
            assert woken and event.repo == "a", "woken by " + event.repo
        print(json.dumps({"woken": await quiet.wait(0)}), flush=True)

asyncio.run(main())
"""

WRITER = """
import sys
import django
django.setup()
from django.db import transaction
from webhooks.services import record
from webhooks.types import EventType, NewEvent

for line in sys.stdin:
    with transaction.atomic():
        record(NewEvent(EventType.CLAIM_GRANTED, line.strip()))
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
def test_it_wakes_the_topics_listeners_in_another_process(database):
    with python(WAITER, database) as waiter, python(WRITER, database) as writer:
        try:
            for _ in range(5):
                assert waiter.stdout.readline() == "waiting\n"
                writer.stdin.write("other\na\n")
                writer.stdin.flush()
            result = json.loads(waiter.stdout.readline())
        finally:
            writer.stdin.close()
            waiter.kill()
    assert result == {"woken": False}
