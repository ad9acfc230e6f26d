"""Whether there is a database: looking makes nothing, and an empty file is none."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from common.databases import has_tables, make_place


def test_only_a_file_with_tables_is_a_database(tmp_path: Path) -> None:
    path = tmp_path / "below" / "x.db"
    assert not has_tables(path)
    assert list(tmp_path.iterdir()) == []
    make_place(path)
    path.touch()
    assert not has_tables(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
    assert path.stat().st_size
    assert not has_tables(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (x)")
        database.commit()
        assert path.with_name("x.db-wal").stat().st_size
        assert has_tables(path), "the table is in the log still"
    assert has_tables(path)
    assert [one.name for one in path.parent.iterdir()] == ["x.db"]


def test_something_else_is_left_to_whoever_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("no database, but text")
    assert has_tables(path)


@pytest.mark.parametrize(
    "command",
    [
        "tokens list",
        "outbox stats",
        "signin",
        "promote a.py",
        "backup copy.db",
        "import-reference old.db",
        "createsuperuser",
    ],
)
def test_a_command_makes_no_database(tmp_path: Path, command: str) -> None:
    program = "import sys; from coordsite import cli; sys.exit(cli.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)},
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith("coord: There is no service's database at data/coordination.db: ")
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
