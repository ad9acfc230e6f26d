"""A database that a test's threads share, each with a connection of its own, as in service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from coordsite.settings import SQLITE_OPTIONS
from tests.engines.once import made_once


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

    def migrate(path: Path) -> None:
        with _database(path, django_db_blocker):
            call_command("migrate", verbosity=0, interactive=False)

    return made_once(tmp_path_factory, "empty.db", migrate)


@pytest.fixture
def shared_database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    """What threads write is committed and seen by the others; nothing of it is left for the next test."""
    if connection.vendor != "sqlite":
        yield  # the plugin has marked the test as one that commits
        return
    path = tmp_path / "coord.db"
    shutil.copy(request.getfixturevalue("empty_file"), path)
    with _database(path, django_db_blocker):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database; at the end, whoever is still connected to it (a watcher) is sent away."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
