"""One service per SQLite file: an exclusive lock on a file beside it, as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InstanceTaken(Exception):
    """Another process serves this file; the text names it."""


@contextmanager
def instance_lock(database: str, *, enabled: bool = True) -> Iterator[None]:
    """Hold ``<database>.lock`` while the block runs. ``database`` empty: nothing to lock.

    Raises :class:`InstanceTaken` at once when another process holds it. The lock ends with the process.
    """
    if not enabled or not database:
        yield
        return
    path = Path(f"{Path(database).expanduser()}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with hold(path, f"Another coord serves {database}"):
        yield


@contextmanager
def hold(path: Path, taken: str) -> Iterator[None]:
    """Hold an exclusive lock on a file that carries this process's id. Raises :class:`InstanceTaken`."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).strip()
            raise InstanceTaken(
                f"{taken} (process {holder or 'unknown'}); stop it first, or use another place"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)
