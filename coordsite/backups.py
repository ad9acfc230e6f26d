"""Copies of the service's SQLite file, taken while it serves, and put back while it does not."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from coordsite.instance import instance_lock

PAGES = 1000
"""Pages per step of a copy; writers go on between two steps."""


class BadBackup(Exception):
    """The file is no backup of this service, or is damaged; the text says which."""


def back_up(database: Path, target: Path) -> int:
    """Copy the database as it is at one moment to ``target`` (mode 0600, whole or not at all); its bytes.

    Raises ``OSError`` or ``sqlite3.Error``.
    """
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_readable(database)) as source, closing(sqlite3.connect(fresh)) as copy:
            source.backup(copy, pages=PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target.stat().st_size


def put_back(source: Path, database: Path) -> None:
    """Make ``database`` what the backup holds. Raises :class:`BadBackup`, or ``InstanceTaken`` while a
    service runs on it.
    """
    examine(source)
    database.parent.mkdir(parents=True, exist_ok=True)
    with instance_lock(str(database)):
        fresh = database.with_name(f".{database.name}.restored")
        fresh.unlink(missing_ok=True)
        back_up(source, fresh)
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        fresh.replace(database)


def examine(file: Path) -> None:
    """Raise :class:`BadBackup` unless the file is a sound database of this service."""
    if not file.is_file():
        raise BadBackup(f"{file}: no such file")
    try:
        with closing(_readable(file)) as found:
            (verdict,) = found.execute("PRAGMA integrity_check(1)").fetchone()
            tables = {name for (name,) in found.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        raise BadBackup(f"{file} cannot be read: {error}") from None
    if verdict != "ok":
        raise BadBackup(f"{file} is damaged: {verdict}")
    if not {"claims_repository", "webhooks_event", "django_migrations"} <= tables:
        raise BadBackup(f"{file} is no backup of coord")


def _readable(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
