"""Rows for statements that are written by hand because they run on every call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Field, JSONField, UUIDField

T = TypeVar("T")

BATCH = 500
"""Values that one statement names, at most."""


def moment(value: Any) -> datetime | None:
    """A moment as a driver gives it (SQLite: text in UTC), aware; ``None`` stays so."""
    if value is None:
        return None
    at: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


@lru_cache(maxsize=256)
def stored(moment: datetime) -> Any:
    """An aware moment as the database's driver takes it. One call stores few moments, many times."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "sqlite":  # as Django does it, in a tenth of the time
        return str(moment.astimezone(UTC).replace(tzinfo=None))
    return database.ops.adapt_datetimefield_value(moment)


def marks(values: Sized) -> str:
    """The placeholders of so many values, for ``IN (…)`` and ``VALUES (…)``."""
    return ", ".join(["%s"] * len(values))


def batches(values: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The values in order, at most ``size`` at a time: as many as one statement takes with ease."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class Columns:
    """Prepares values for a driver, column by column; only those that it does not take as they are."""

    def __init__(self, fields: Iterable[Field[Any, Any]]) -> None:
        self._converters = [_converter(field) for field in fields]

    def prepared(self, values: Iterable[Any], database: BaseDatabaseWrapper) -> list[Any]:
        """The values as ``database`` stores them. It is the wrapper itself, not Django's ``connection``:
        the proxy's look-up costs more than a conversion.
        """
        return [
            value if convert is None or value is None else convert(value, database)
            for convert, value in zip(self._converters, values, strict=True)
        ]


def _converter(field: Field[Any, Any]) -> Callable[[Any, BaseDatabaseWrapper], Any] | None:
    if isinstance(field, DateTimeField):
        return lambda value, database: stored(value)
    if isinstance(field, UUIDField):
        return _uuid
    return field.get_db_prep_save if isinstance(field, JSONField) else None


def _uuid(value: UUID | str, database: BaseDatabaseWrapper) -> UUID | str:
    """As Django stores it, without the forms, versions and validation that it provides for."""
    uid = value if isinstance(value, UUID) else _parsed(value)
    return uid if database.features.has_native_uuid_field else uid.hex


@lru_cache(maxsize=1024)
def _parsed(text: str) -> UUID:
    return UUID(text)
