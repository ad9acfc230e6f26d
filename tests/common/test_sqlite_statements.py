"""The SQLite backend's cursors understand Django's placeholders."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db.backends.sqlite3.base import SQLiteCursorWrapper

from common.sqlite import MOST_KEPT, Connection, Cursor


@pytest.fixture
def cursor() -> Iterator[Any]:
    with closing(sqlite3.connect(":memory:", factory=Connection)) as database:
        yield database.cursor(factory=SQLiteCursorWrapper)


def test_a_statement_that_is_run_twice(cursor):
    for value in ("a", "b"):
        cursor.execute("SELECT %s, '100%%', '%%s'", [value])
        assert cursor.fetchone() == (value, "100%", "%s")


def test_a_statement_without_values_is_taken_as_it_is(cursor):
    cursor.execute("SELECT '100%', '?'")
    assert cursor.fetchone() == ("100%", "?")


def test_a_long_statement(cursor):
    values = list(range(MOST_KEPT // 4))
    cursor.execute(f"SELECT 7 IN ({', '.join(['%s'] * len(values))})", values)
    assert cursor.fetchone() == (1,)


def test_named_values(cursor):
    cursor.execute("SELECT %(a)s, %(b)s", {"a": 1, "b": 2})
    assert cursor.fetchone() == (1, 2)


def test_many_rows(cursor):
    cursor.execute("CREATE TABLE things (name)")
    cursor.executemany("INSERT INTO things VALUES (%s)", [["a"], ["b"]])
    assert cursor.execute("SELECT COUNT(*) FROM things").fetchone() == (2,)


def test_others_cursors_are_theirs(cursor):
    assert type(cursor) is Cursor
    assert type(cursor.connection.cursor()) is sqlite3.Cursor
