"""``coord backup`` and ``coord restore`` over a real service and its file."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from .service import Service, coord


@pytest.fixture
def variables(tmp_path):
    return {"COORD_DATABASE_PATH": str(tmp_path / "home" / "coord.db"), "COORD_HOME": str(tmp_path / "home")}


def claim(service: Service, path: str, repo: str = "org/app"):
    with service.client() as client:
        body = {"engineer": "alice", "repo": repo, "claims": [{"type": "file", "pattern": path}]}
        answer = client.post("/claims", json=body)
        assert answer.status_code == 200, answer.text
        [granted] = answer.json()["claims"]
        return granted


def held(service: Service):
    with service.client() as client:
        return {row["pattern"] for row in client.get("/claims").json()["claims"]}


def test_it_goes_back_without_giving_a_fence_twice(start_service, tmp_path, variables):
    service = start_service(**variables)
    claim(service, "before.py")
    file = tmp_path / "backup.db"
    done = coord("backup", str(file), **variables)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lost = [claim(service, f"after{n}.py") for n in range(3)] + [claim(service, "x.py", "org/new")]
    with service.client() as client:
        last = client.get("/events", params={"limit": 100}).json()["next_after"]
    running = coord("restore", str(file), **variables)
    assert (running.returncode, "stop it first" in running.stderr) == (1, True)
    service.stop()
    restored = coord("restore", str(file), **variables)
    assert restored.returncode == 0, restored.stderr
    again = start_service(**variables)
    assert held(again) == {"before.py"}
    highest = max(granted["fence"] for granted in lost)
    assert claim(again, "after0.py")["fence"] > highest
    assert claim(again, "x.py", "org/new")["fence"] > highest
    with again.client() as client:
        told = client.get("/events", params={"after": last, "limit": 100}).json()["events"]
    assert sum(event["event_type"] == "claim_granted" for event in told) == 2


def test_it_overwrites_nothing_unasked(tmp_path, variables, migrated):
    Path(variables["COORD_HOME"]).mkdir()
    shutil.copy(migrated, variables["COORD_DATABASE_PATH"])
    file = tmp_path / "there.db"
    file.write_text("mine")
    refused = coord("backup", str(file), **variables)
    assert (refused.returncode, file.read_text()) == (1, "mine")
    assert "--force" in refused.stderr
    assert coord("backup", "--force", str(file), **variables).returncode == 0
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_it_restores_nothing_but_a_sound_backup(tmp_path, variables, migrated):
    database, sound = Path(variables["COORD_DATABASE_PATH"]), tmp_path / "sound.db"
    database.parent.mkdir()
    shutil.copy(migrated, database)
    assert coord("backup", str(sound), **variables).returncode == 0
    bad = {name: tmp_path / f"{name}.db" for name in ("text", "foreign", "cut", "missing")}
    bad["text"].write_text("no database" * 1000)
    with closing(sqlite3.connect(bad["foreign"])) as made:
        made.execute("CREATE TABLE other (id INTEGER)")
    bad["cut"].write_bytes(sound.read_bytes()[: sound.stat().st_size // 2])
    before = database.read_bytes()
    for name, file in bad.items():
        refused = coord("restore", str(file), **variables)
        assert (refused.returncode, f"{name}.db" in refused.stderr) == (1, True), refused.stderr
        assert database.read_bytes() == before


@pytest.mark.parametrize(("command", "word"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_it_names_the_tool_for_postgres(tmp_path, command, word):
    refused = coord(command, str(tmp_path / "x"), COORD_DATABASE_URL="postgres://nobody@127.0.0.1:1/x")
    assert refused.returncode == 1
    assert word in refused.stderr
