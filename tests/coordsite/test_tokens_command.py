"""``coord tokens``."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from coordsite import cli
from coordsite.models import Token
from tests.conftest import Api
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("tokens", *arguments, stdout=out)
    return out.getvalue()


def as_json(*arguments):
    return json.loads(run(*arguments, "--json"))


def test_it_makes_a_token():
    said = run("create", "alice", "--repo", "Org/App", "--repo", "org/b", "--expires-in", "30d")
    raw = said.splitlines()[0]
    assert re.fullmatch(r"coordt_[0-9a-f]{64}", raw)
    token = Token.objects.get()
    assert f"Token {token.id} of alice (agent, org/app, org/b)." in said
    assert (token.expires_at - token.created_at).days == 30
    assert token.created_by.endswith("(command line)")
    assert Event.objects.get().operator == token.created_by
    assert Api(raw).get("/whoami")[1]["engineer"] == "alice"


def test_it_makes_json():
    made = as_json("create", "gate", "--role", "ci", "--description", "pull requests")
    assert (made["engineer"], made["role"], made["description"]) == ("gate", "ci", "pull requests")
    assert made["token"].startswith(made["prefix"])


def test_it_lists(person):
    assert run("list") == "No tokens.\n"
    alice, bob = person("alice", repositories=["org/app"]), person("bob", description="laptop")
    run("revoke", bob.token.id)
    assert [row["id"] for row in as_json("list")["tokens"]] == [alice.token.id]
    assert as_json("list", "--include-revoked")["count"] == 2
    assert as_json("list", "--engineer", "nobody")["tokens"] == []
    lines = run("list", "--include-revoked").splitlines()
    assert sum("org/app" in line and "active" in line and "alice" in line for line in lines) == 1
    assert sum("(all repositories)" in line and "revoked" in line and "laptop" in line for line in lines) == 1
    assert alice.headers["Authorization"].split()[1] not in run("list")


def test_it_rotates(person):
    alice = person("alice")
    made = as_json("rotate", alice.token.id[:8], "--grace", "0h")
    assert made["rotated_from"] == alice.token.id
    assert alice.get("/claims")[0] == 401
    said = run("rotate", made["id"])
    assert said.startswith("coordt_")
    assert "The old one works until 20" in said


def test_it_revokes(person):
    alice = person("alice")
    assert f"Revoked: {alice.token.id}" in run("revoke", alice.token.id[:8])
    assert alice.get("/claims")[0] == 401
    assert as_json("revoke", alice.token.id)["status"] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "alice", "--expires-in", "never"), "'never' is not a duration"),
        (("create", "alice", "--expires-in", "0h"), "'0h' is not a duration"),
        (("create", "alice", "--repo", "a b"), "not a repository id"),
        (("create", " "), "engineer: not a name"),
        (("rotate", "00000000"), "No token has this id"),
        (("revoke", "0000"), "too short"),
    ],
)
def test_it_says_what_is_wrong(arguments, said):
    with pytest.raises(CommandError, match=said) as refused:
        run(*arguments)
    assert refused.value.returncode == 1
    assert not Token.objects.exists()


def test_it_makes_no_database(settings, tmp_path, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(tmp_path / "none.db"))
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    with pytest.raises(CommandError, match=r"no service's database at .*none\.db") as refused:
        run("list")
    assert refused.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_it_works_on_the_database_that_start_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COORD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COORD_DATABASE_PATH", raising=False)
    monkeypatch.delenv("COORD_DATABASE_URL", raising=False)
    cli.use_home()
    assert "COORD_DATABASE_PATH" not in cli.os.environ
    made = tmp_path / "home" / "data" / "coordination.db"
    made.parent.mkdir(parents=True)
    made.touch()
    cli.use_home()
    assert "COORD_DATABASE_PATH" not in cli.os.environ, "an empty file is no database"
    with closing(sqlite3.connect(made)) as database:
        database.execute("CREATE TABLE t (x)")
    usual = tmp_path / "data" / "coordination.db"
    usual.parent.mkdir()
    with closing(sqlite3.connect(usual)) as left_over:
        left_over.execute("PRAGMA journal_mode=WAL")
    cli.use_home()
    assert cli.os.environ.pop("COORD_DATABASE_PATH") == str(made)
    monkeypatch.setenv("COORD_DATABASE_URL", "sqlite:///x.db")
    cli.use_home()
    assert "COORD_DATABASE_PATH" not in cli.os.environ


def test_it_signs_with_the_key_that_start_made(tmp_path, monkeypatch):
    """Also on a database of one's own: another key's tasks would be dropped."""
    home, own = tmp_path / "home", tmp_path / "own"
    for place in (home, own):
        place.mkdir()
    (home / "secret_key").write_text("of-the-home\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COORD_HOME", str(home))
    monkeypatch.setenv("COORD_DATABASE_PATH", str(own / "x.db"))
    monkeypatch.delenv("COORD_DATABASE_URL", raising=False)
    monkeypatch.setenv("COORD_SECRET_KEY", "")
    (own / "secret_key").write_text("beside\n")
    cli.use_home()
    assert cli.os.environ["COORD_SECRET_KEY"] == ""
    (own / "secret_key").unlink()
    cli.use_home()
    assert cli.os.environ["COORD_SECRET_KEY"] == "of-the-home"
