"""Old and new replicas share a database while a deployment rolls: the schema of the next version lets the
present one go on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.engines.servers import Postgres

APPS = ("claims", "coordsite", "ownership", "queueing", "webhooks")
ROOT = Path(__file__).resolve().parents[2]
LINT = """
import django; django.setup()
from django_migration_linter import MigrationLinter
linter = MigrationLinter(no_cache=True, no_output=False, include_apps={apps!r})
linter.lint_all_migrations()
linter.print_summary()
assert linter.nb_valid + linter.nb_warnings > 5, "nothing was looked at"
raise SystemExit(linter.has_errors)
"""


def test_no_migration_breaks_the_version_before_it():
    """The linter: no column dropped, renamed, retyped or required, on PostgreSQL."""
    with Postgres() as server:
        done = subprocess.run(
            [sys.executable, "-c", LINT.format(apps=list(APPS))],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "coordsite.settings",
                "COORD_DATABASE_URL": server.create("lint"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr


def later_migrations():
    """Each migration of ours that changes tables which an earlier version uses."""
    loader = MigrationLoader(None)
    return sorted(key for key in loader.disk_migrations if key[0] in APPS and not key[1].startswith("0001"))


@pytest.mark.django_db
@pytest.mark.parametrize("key", later_migrations(), ids="-".join)
def test_the_version_before_reads_and_writes_the_newest_schema(key):
    """With all migrations applied, the models as they were before this one: each of their columns is there,
    and none that they do not know of has to be given.
    """
    loader = MigrationLoader(connection)
    before = loader.project_state(sorted(node.key for node in loader.graph.node_map[key].parents)).apps
    for model in before.get_app_config(key[0]).get_models():
        table = model._meta.db_table
        list(model.objects.all()[:1])
        known = {field.column for field in model._meta.concrete_fields}
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, table)
        unknown = [column for column in columns if column.name not in known]
        assert known <= {column.name for column in columns}
        assert not [c.name for c in unknown if not c.null_ok and c.default is None], table
