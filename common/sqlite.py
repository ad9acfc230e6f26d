"""SQLite connections whose statements, few and run on every call, have their placeholders translated once."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper

MOST_KEPT = 4096
"""Longer statements (of many rows or ids, rarely two alike) are translated each time; in characters."""


class Cursor(SQLiteCursorWrapper):
    """Django's cursor."""

    def convert_query(self, query: str, *, param_names: list[str] | None = None) -> str:
        """The statement with SQLite's placeholders."""
        if param_names is None and len(query) <= MOST_KEPT:
            return _converted(query)
        return super().convert_query(query, param_names=param_names)


@lru_cache(maxsize=512)
def _converted(query: str) -> str:
    return FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class Connection(sqlite3.Connection):
    """What Django connects with, by the option ``factory``."""

    def cursor(self, factory: Any = None) -> Any:
        """A cursor of this module where Django asks for its own."""
        return super().cursor(Cursor if factory is SQLiteCursorWrapper else factory or sqlite3.Cursor)
