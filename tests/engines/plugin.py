"""A pytest plugin: point Django at the database and channel layer of this run before it reads its settings.

``COORD_TEST_DATABASE_URL`` and ``COORD_TEST_REDIS_URL`` name them; without, tests run on SQLite and in
memory. The variables that the service itself reads are taken out of the environment, so that a process
which a test starts is given its own database by that test and never the developer's.

On a given database only tests that use a database run: what is pure gives the same answer twice. The
summary counts them as deselected.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

DATABASE = "COORD_TEST_DATABASE_URL"
REDIS = "COORD_TEST_REDIS_URL"


def _settings_read() -> None:
    for name in [
        name for name in os.environ if name.startswith("COORD_") and not name.startswith("COORD_TEST_")
    ]:
        del os.environ[name]
    given = {"COORD_DATABASE_URL": os.environ.get(DATABASE), "COORD_REDIS_URL": os.environ.get(REDIS)}
    os.environ.update({name: value for name, value in given.items() if value})
    try:
        import coordsite.settings as read  # once, here
    finally:
        for name in given:
            os.environ.pop(name, None)
    layer: dict[str, Any] = read.CHANNEL_LAYERS["default"]
    read.WHITENOISE_AUTOREFRESH = True  # or every new test client looks through all static files
    read.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a good one takes its time
    if "CONFIG" in layer:  # workers share a server, and must not hear one another
        layer["CONFIG"]["prefix"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


_settings_read()


KEPT = frozenset(
    ("django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
)
"""Tables of what migrating puts there: no test changes them."""


def _rows_removed(case: Any) -> None:
    """Take away the rows of a test that commits. Django's own way makes all permissions anew each time."""
    from django.db import connection, transaction

    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def pytest_configure() -> None:
    """Once Django is set up."""
    from django.test import TransactionTestCase

    vars_of: Any = TransactionTestCase
    vars_of._fixture_teardown = _rows_removed


def uses_database(item: pytest.Item) -> bool:
    """Whether a test asks Django for a database."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(
        fixtures & {"db", "transactional_db", "shared_database"} or item.get_closest_marker("django_db")
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what a given database can change."""
    if not os.environ.get(DATABASE):
        return
    for item in items:
        if "shared_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(transaction=True))
    pure = [item for item in items if not uses_database(item)]
    if pure:
        config.hook.pytest_deselected(items=pure)
        items[:] = [item for item in items if uses_database(item)]


def pytest_report_header() -> list[str]:
    """Name the engines."""
    from django.conf import settings

    engine = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    layer = settings.CHANNEL_LAYERS["default"]["BACKEND"].rpartition(".")[2]
    return [f"coord: database {engine}, channel layer {layer}"]
