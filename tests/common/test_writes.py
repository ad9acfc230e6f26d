"""Who waits for writes to a SQLite database is told of each, by whichever connection it was made."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from common import writes
from common.writes import Writes

AT_MOST = 30.0
"""How long a wait lasts in which nothing comes: a failing test's, in seconds."""


def opened(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    return connection


@pytest.fixture
def path(tmp_path):
    return tmp_path / "coord.db"


@pytest.fixture
def here(path):
    with closing(opened(path)) as connection:
        connection.execute("CREATE TABLE note (text)")
        yield connection


@pytest.fixture
def there(path, here):
    with closing(opened(path)) as connection:
        yield connection


@pytest.fixture
def unaided(monkeypatch):
    """A system that tells of nothing."""
    monkeypatch.setattr(writes, "inotify", None)


def come_to_rest(waiting):
    while waiting.wait(0):
        continue


def test_it_says_nothing_while_nobody_writes(path, here):
    with Writes(str(path)) as waiting:
        here.execute("SELECT * FROM note").fetchall()
        assert not waiting.wait(0)


def test_it_tells_of_a_write_by_another_connection(path, here, there):
    with Writes(str(path)) as waiting:
        for _ in range(3):
            there.execute("INSERT INTO note VALUES ('hello')")
            assert waiting.wait(AT_MOST)
            come_to_rest(waiting)


def test_it_tells_once_more_of_what_may_have_been_looked_at_too_early(path, here, there):
    with Writes(str(path)) as waiting:
        there.execute("INSERT INTO note VALUES ('hello')")
        assert waiting.wait(AT_MOST)
        assert waiting.wait(0)
        assert not waiting.wait(0)


def test_it_tells_of_a_write_between_two_waits(path, here, there):
    with Writes(str(path)) as waiting:
        there.execute("INSERT INTO note VALUES ('hello')")
        waiting.wait(AT_MOST)
        there.execute("INSERT INTO note VALUES ('again')")
        assert waiting.wait(0)
        assert waiting.wait(0)
        assert not waiting.wait(0)


def test_it_follows_a_log_that_was_made_anew(path):
    with closing(opened(path)) as first:
        first.execute("CREATE TABLE note (text)")
        waiting = Writes(str(path))
    with waiting, closing(opened(path)) as second:
        second.execute("INSERT INTO note VALUES ('hello')")
        come_to_rest(waiting)
        second.execute("INSERT INTO note VALUES ('again')")
        assert waiting.wait(AT_MOST)


def test_it_looks_often_where_the_system_tells_nothing(path, here, unaided):
    with Writes(str(path), unaided_s=0) as waiting:
        assert waiting.wait(AT_MOST)
        assert waiting.wait(AT_MOST)


def test_it_looks_often_where_there_is_no_log(path):
    with Writes(str(path), unaided_s=0) as waiting:
        assert waiting.wait(AT_MOST)
