"""The git hooks that `coord init` installs, beside those that are there, in real repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.conftest import TOKEN, Clone, Run
from tests.kit.service import FakeService

ROOT = Path(__file__).parents[2]


def hooked(clone: Clone, *names: str) -> Path:
    """A `coord-hook` on PATH that is this checkout's."""
    folder = clone.path.parent / "bin"
    folder.mkdir(exist_ok=True)
    script = folder / "coord-hook"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m coordsite.kit.hook "$@"\n')
    script.chmod(0o755)
    return folder


def test_it_installs_hooks_that_work_and_chain(fresh: Clone, run: Run, service: FakeService) -> None:
    service.tokens[TOKEN] = None
    mine = fresh.path / ".git/hooks/pre-commit"
    mine.write_text("#!/bin/sh\necho ran >> ran.log\nexit ${FAIL:-0}\n")
    mine.chmod(0o755)
    out, _ = run(fresh.path)
    assert "moved      .git/hooks/pre-commit.before-coord" in out
    path = f"{hooked(fresh)}:{os.environ['PATH']}"
    fresh.git("add", "-A")
    assert fresh.git("commit", "-qm", "x", check=False, PATH=path, FAIL="3").returncode != 0
    assert fresh.git("commit", "-qm", "x", check=False, PATH=path).returncode == 0
    assert (fresh.path / "ran.log").read_text() == "ran\nran\n"
    repo = fresh.path.name
    service.hold("a.py", "bob", "bob-1", repo=repo)
    fresh.write("a.py")
    fresh.git("add", "a.py")
    done = fresh.git("commit", "-qm", "y", check=False, PATH=path)
    assert done.returncode != 0
    assert "a.py is held by bob" in done.stderr


def test_it_pushes_from_a_worktree_of_a_wired_subdirectory(
    fresh: Clone, run: Run, service: FakeService, tmp_path: Path
) -> None:
    service.tokens[TOKEN] = None
    fresh.commit("apps/web/index.ts")
    run(fresh.path, "init", "--root", "apps/web")
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "remote.git")], check=True)
    fresh.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    fresh.git("worktree", "add", "-q", "../feature", "-b", "feature")
    feature = Clone(fresh.path.parent / "feature")
    feature.commit("apps/web/a.ts")
    service.hold("apps/web/a.ts", "bob", "bob-1", repo="app")
    path = f"{hooked(fresh)}:{os.environ['PATH']}"
    done = feature.git("push", "-q", "origin", "feature", check=False, PATH=path)
    assert done.returncode != 0
    assert "apps/web/a.ts is held by bob" in done.stderr


def test_it_says_when_coord_hook_is_missing(fresh: Clone, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coordsite.kit.githooks.executable", lambda: "/nowhere/coord-hook")
    run(fresh.path)
    fresh.git("add", "-A")
    bare = "/usr/bin:/bin"
    done = fresh.git("commit", "-qm", "x", check=False, PATH=bare)
    assert done.returncode == 0
    assert "coord-hook is not on PATH; this commit is not checked" in done.stderr
    fresh.write("b.py")
    fresh.git("add", "-A")
    assert (
        fresh.git("commit", "-qm", "x", check=False, PATH=bare, COORD_PREPUSH_MODE="enforce").returncode != 0
    )


def test_it_leaves_the_projects_own_hooks_directory_alone(fresh: Clone, run: Run) -> None:
    fresh.write(".husky/pre-push", "npm test\n")
    fresh.git("config", "core.hooksPath", ".husky")
    with pytest.raises(SystemExit):
        run(fresh.path)
    assert (fresh.path / ".husky/pre-push").read_text() == "npm test\n"
    assert not (fresh.path / ".husky/pre-commit").exists()
    fresh.write(".husky/pre-push", 'coord-hook pre-push "$@"\n')
    fresh.write(".husky/pre-commit", "coord-hook pre-commit\n")
    for name in ("pre-push", "pre-commit"):
        (fresh.path / ".husky" / name).chmod(0o755)
    run(fresh.path)


def test_it_replaces_an_older_shim(fresh: Clone, run: Run) -> None:
    old = fresh.path / ".git/hooks/pre-push"
    old.write_text(
        '#!/usr/bin/env bash\nexec "$(git rev-parse --show-toplevel)/.coordination/hooks/pre-push" "$@"\n'
    )
    run(fresh.path)
    assert "# coord:begin pre-push" in old.read_text()
    assert not (fresh.path / ".git/hooks/pre-push.before-coord").exists()
