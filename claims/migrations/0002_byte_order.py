"""Prefix ranges need byte order: SQLite compares so by default, PostgreSQL with the collation "C"."""

from django.db import migrations

COLUMNS = (
    ("claims_claim", "prefix", 1100),
    ("claims_claim", "tail", 64),
    ("claims_claimsymbol", "path", 512),
    ("claims_claimsymbol", "prefix", 1100),
)


def set_collation(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, column, length in COLUMNS:
        schema_editor.execute(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length}) COLLATE "C"')


class Migration(migrations.Migration):
    dependencies = [("claims", "0001_initial")]
    operations = [migrations.RunPython(set_collation, migrations.RunPython.noop)]
