"""What one worker makes for all of them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(places: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The file ``name`` of this test run: ``make`` writes it for whichever worker asks first."""
    base = places.getbasetemp()
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    path = place / name
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            beginning = place / f"{name}.new"
            make(beginning)
            beginning.rename(path)
    return path
