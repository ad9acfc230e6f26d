"""Moments grouped by hour or day of UTC inside the database.

Django's own truncation is a Python function on SQLite, called per row; this is a cut of the stored text.
"""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Func


class Hour(Func):
    """``2026-11-23 12`` of a moment."""

    output_field = CharField()
    arity = 1
    cut, shape = 13, "YYYY-MM-DD HH24"

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """The stored text is UTC and begins with it."""
        return super().as_sql(
            compiler, connection, template=f"substr(%(expressions)s, 1, {self.cut})", **more
        )

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """The same text."""
        template = f"to_char(%(expressions)s AT TIME ZONE 'UTC', '{self.shape}')"
        return super().as_sql(compiler, connection, template=template, **more)


class Day(Hour):
    """``2026-11-23`` of a moment."""

    cut, shape = 10, "YYYY-MM-DD"
