"""Rows for statements that are written by hand because they run on every call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Field, JSONField, UUIDField


def moment(value: Any) -> datetime | None:
    """A moment as a driver gives it (SQLite: text in UTC), aware; ``None`` stays so."""
    if value is None:
        return None
    at: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


class Columns:
    """Prepares values for a driver, column by column; only those that it does not take as they are."""

    def __init__(self, fields: Iterable[Field[Any, Any]]) -> None:
        self._converters = [
            field if isinstance(field, DateTimeField | UUIDField | JSONField) else None for field in fields
        ]

    def prepared(self, values: Iterable[Any], database: BaseDatabaseWrapper) -> list[Any]:
        """The values as ``database`` stores them. It is the wrapper itself, not Django's ``connection``:
        the proxy's look-up costs more than a conversion.
        """
        return [
            value if field is None or value is None else field.get_db_prep_save(value, database)
            for field, value in zip(self._converters, values, strict=True)
        ]
