"""A web process for tests: ``python -m tests.history.replica``.

``COORD_TEST_CLOCK`` names a file that holds how many seconds its clock is off, read at each look at the
clock. ``COORD_TEST_WITHOUT_LOCK`` takes the repository lock out of the build.
"""

from __future__ import annotations

# daphne's reactor must come before anything of Twisted.
from coordsite import server  # isort: skip

import contextlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from coordsite.cli import guarded


@contextlib.contextmanager
def stepped_clock(file: str) -> Iterator[None]:
    """Tell a time that is off by what the file says."""
    from common import clock

    path = Path(file)

    def source() -> datetime:
        try:
            off = float(path.read_text() or 0)
        except (FileNotFoundError, ValueError):
            off = 0.0
        return datetime.now(UTC) + timedelta(seconds=off)

    with clock.running(source):
        yield


def without_lock() -> None:
    """Decide without the repository's lock, as a careless change would; fences come from the clock."""
    import django

    django.setup()
    from django.db import connection

    from claims import locks
    from claims.services import claiming
    from common import clock

    def unlocked(name: str, numbers: int) -> locks.Locked:
        now = clock.now()
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {locks._table} (name, counter, case_insensitive, checkout_path, checkout_scope,"
                " created_at) VALUES (%s, 0, false, '', '', %s) ON CONFLICT (name) DO NOTHING",
                [name, now],
            )
            cursor.execute(f"SELECT id FROM {locks._table} WHERE name = %s", [name])
            (row_id,) = cursor.fetchone()
        counter = time.time_ns() // 1000
        return locks.Locked(row_id, name, False, now, False, False, _counter=counter, _reserved=numbers)

    granted: Callable[..., Any] = claiming.grant

    def slow_grant(*args: Any, **named: Any) -> Any:
        time.sleep(random.uniform(0, 0.02))
        return granted(*args, **named)

    locks._lock = unlocked
    claiming.grant = slow_grant


def main() -> int:
    """Serve."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
    with contextlib.ExitStack() as stack:
        if os.environ.get("COORD_TEST_WITHOUT_LOCK"):
            without_lock()
        if file := os.environ.get("COORD_TEST_CLOCK"):
            stack.enter_context(stepped_clock(file))
        return server.main()


if __name__ == "__main__":
    sys.exit(guarded(main))
