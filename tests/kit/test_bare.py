"""A bare repository with linked work trees: they share the wiring, which lies in the bare repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.kit.conftest import Clone, Fire, claude, edit
from tests.kit.running import Runner
from tests.kit.service import FakeService


@pytest.fixture(params=[".bare", "app.git"])
def trees(
    make_clone, tmp_path: Path, coord: Runner, service: FakeService, request, monkeypatch: pytest.MonkeyPatch
) -> tuple[Clone, Clone]:
    """Two work trees; `coord init` ran in the first."""
    bare = tmp_path / "app" / request.param
    subprocess.run(["git", "clone", "-q", "--bare", str(make_clone("seed").path), str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "remote", "remove", "origin"], check=True)
    one, two = (Clone(tmp_path / "app" / name) for name in ("one", "two"))
    for tree in (one, two):
        command = ["git", "-C", str(bare), "worktree", "add", "-q", "-b", tree.path.name, str(tree.path)]
        subprocess.run(command, check=True)
    monkeypatch.setenv("COORD_AUTH_TOKEN", "token-shared")
    done = coord(one.path, "init", "--yes", "--mode", "remote", "--service-url", service.url)
    assert done.code == 0, done.err
    monkeypatch.delenv("COORD_AUTH_TOKEN")
    assert (bare / ".coordination/local.env").stat().st_mode & 0o777 == 0o600
    return one, two


def test_every_work_tree_has_the_settings_and_the_guards(
    trees: tuple[Clone, Clone], coord: Runner, service: FakeService
) -> None:
    one, two = trees
    assert {coord(tree.path, "status", "--json").json["repo"] for tree in trees} == {"app"}
    assert coord(one.path, "init", "--yes", "--json").json["root"] == str(one.path)
    found = coord(one.path, "doctor", "--json").json
    assert [check for check in found["checks"] if check["level"] == "fail"] == []
    assert found["protection"]["claude"] == ["blocks edits", "blocks commits", "blocks pushes"]
    service.hold("a.py", "bob", "bob-1", repo="app")
    two.write("a.py")
    two.git("add", "a.py")
    done = two.git("commit", "-m", "x", check=False)
    assert (done.returncode, "a.py is held by bob" in done.stderr) == (1, True)


def test_the_directory_of_the_bare_repository_is_no_work_tree(
    trees: tuple[Clone, Clone], coord: Runner, tmp_path: Path
) -> None:
    place = tmp_path / "app"
    [bare] = [path for path in place.iterdir() if (path / "HEAD").exists()]
    (place / ".git").write_text(f"gitdir: ./{bare.name}\n")
    done = coord(place, "init", "--yes")
    assert (done.code, "run it in one of the repository's work trees" in done.err) == (1, True)
    assert not (place / ".mcp.json").exists()
    assert coord(trees[1].path, "status", "--json").json["repo"] == "app"


def test_a_session_claims_in_each_and_releases_all(
    trees: tuple[Clone, Clone], service: FakeService, fire: Fire, tmp_path: Path
) -> None:
    one, two = trees
    assert fire("claude", edit(one, "a.py", call="1")).silent
    assert fire("claude", edit(two, "b.py", call="2")).silent
    assert fire("claude", edit(two, "a.py", call="3", session="carol-1")).code == 2
    assert service.held("alice-1") == ["a.py", "b.py"]
    ending = claude(one, "SessionEnd", reason="prompt_input_exit")
    ending["cwd"] = str(tmp_path)
    assert fire("claude", ending).silent
    assert service.held("alice-1") == []
