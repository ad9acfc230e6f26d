"""The SQLite file of the service: whether there is one, and a place for it. Looking makes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

MEMORY = ("file:", ":memory:")


def has_tables(path: Path) -> bool:
    """Whether a database with tables is there. A file that somebody opened and never filled is none."""
    if not path.is_file() or not path.stat().st_size:
        return False
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return True  # the newest pages are there still, the tables perhaps among them
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as found:
            return found.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return True  # whoever opens it tells what is wrong


def make_place(path: Path) -> None:
    """Make the directories that hold the file. What goes wrong is told by whoever opens the database."""
    with suppress(OSError):
        path.expanduser().parent.mkdir(parents=True, exist_ok=True)
