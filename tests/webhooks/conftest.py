"""Receivers, quick attempts, and a database that threads share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from coordsite.settings import SQLITE_OPTIONS
from tests.webhooks.receiver import Receivers
from webhooks import sending


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    for receiver in made.made:
        receiver.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts end after 0.3 s instead of 10."""
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(sending, "EXCERPT_S", 0.1)


@contextmanager
def _database(path: Path, blocker: Any) -> Iterator[None]:
    """Let the default database be this SQLite file, for new connections of every thread."""
    kept = connections["default"]
    values = connections.settings["default"]
    before = dict(values)
    with blocker.unblock():
        values |= {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": SQLITE_OPTIONS}
        del connections["default"]
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = kept
            values.clear()
            values |= before


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """A migrated SQLite file, to copy."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    with _database(path, django_db_blocker):
        call_command("migrate", verbosity=0, interactive=False)
    return path


@pytest.fixture
def file_database(empty_file: Path, tmp_path: Path, django_db_blocker: Any) -> Iterator[Path]:
    """An SQLite file that the test's threads share: each thread has its own connection, as in service."""
    path = tmp_path / "coord.db"
    shutil.copy(empty_file, path)
    with _database(path, django_db_blocker):
        yield path
