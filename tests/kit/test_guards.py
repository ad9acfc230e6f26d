"""git's hooks with real commits and real pushes to a bare remote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.conftest import Clone, Fire, claude, edit
from tests.kit.service import FakeService

ROOT = Path(__file__).parents[2]


def install(clone: Clone, *names: str) -> None:
    """Hooks that run this checkout's ``coord-hook``."""
    hooks = Path(clone.git("rev-parse", "--git-common-dir").stdout.strip())
    hooks = (clone.path / hooks / "hooks").resolve()
    hooks.mkdir(exist_ok=True)
    for name in names:
        path = hooks / name
        path.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m coordsite.kit.hook {name} "$@"\n'
        )
        path.chmod(0o755)


@pytest.fixture
def remote(clone: Clone, tmp_path: Path) -> Path:
    """A bare remote that has the first commits; the clone has the push guard."""
    bare = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    clone.git("remote", "add", "origin", str(bare))
    clone.git("push", "-q", "-u", "origin", "main")
    clone.git("remote", "set-head", "origin", "main")
    install(clone, "pre-push")
    return bare


def push(clone: Clone, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return clone.git("push", "-q", *arguments, check=False, **environ)


def asked(service: FakeService) -> list[str]:
    return sorted(path for body in service.asked("POST", "/verify") for path in body["changes"])


def test_it_pushes_what_nobody_holds(clone: Clone, service: FakeService, remote: Path) -> None:
    clone.commit("a.py")
    done = push(clone, "origin", "main")
    assert (done.returncode, done.stderr) == (0, "")
    assert asked(service) == ["a.py"]


def test_it_rejects_what_another_holds(clone: Clone, service: FakeService, remote: Path) -> None:
    service.hold("a.py", "bob", "bob-1", description="rework")
    head = clone.commit("a.py")
    done = push(clone, "origin", "main")
    assert done.returncode != 0
    assert "coord: a.py is held by bob for 42 more min (rework)." in done.stderr
    assert "Next: push again after the holder released" in done.stderr
    assert head not in subprocess.check_output(["git", "-C", str(remote), "rev-parse", "main"], text=True)
    assert push(clone, "--no-verify", "origin", "main").returncode == 0


def test_it_lets_the_live_session_of_this_clone_push(
    clone: Clone, service: FakeService, remote: Path
) -> None:
    service.hold("a.py", "alice", "alice-1")
    clone.commit("a.py")
    live = clone.path / ".coordination/sessions.live"
    assert push(clone, "origin", "main").returncode != 0
    live.write_text(f"# live sessions\n\nalice-1 {os.getpid()} 1000\n")
    assert push(clone, "origin", "main").returncode != 0, "another process of that number"
    live.write_text(f"alice-1 {os.getpid()} 0\n")
    assert push(clone, "origin", "main").returncode == 0


def test_it_lets_a_proven_engineer_push_the_work_of_an_ended_session(
    clone: Clone, service: FakeService, remote: Path
) -> None:
    service.hold("a.py", "alice/claude", "ended-1")
    service.tokens["coordt_alice"] = "alice/claude"
    clone.commit("a.py")
    live = clone.path / ".coordination/sessions.live"
    live.write_text(f"ended-1 4194000 1\nalice-2 {os.getpid()} 0\n")
    assert push(clone, "origin", "main").returncode != 0, "a shared token proves nobody"
    clone.initialise(service.url, "coordt_alice")
    assert push(clone, "origin", "main").returncode == 0
    service.hold("b.py", "alice/claude", "elsewhere-1")
    clone.commit("b.py")
    assert push(clone, "origin", "main").returncode != 0


def test_it_checks_only_the_new_commits_of_a_branch(clone: Clone, service: FakeService, remote: Path) -> None:
    clone.commit("base.py")
    clone.git("push", "-q", "--no-verify", "origin", "main")
    clone.git("checkout", "-qb", "feature")
    clone.commit("feature.py")
    assert push(clone, "origin", "feature").returncode == 0
    assert asked(service) == ["feature.py"]
    service.requests.clear()
    clone.commit("more.py")
    assert push(clone, "origin", "feature").returncode == 0
    assert asked(service) == ["more.py"]


def test_it_leaves_upstream_files_out_after_a_rebase(
    clone: Clone, service: FakeService, remote: Path
) -> None:
    clone.git("checkout", "-qb", "feature")
    clone.commit("feature.py")
    clone.git("push", "-q", "--no-verify", "-u", "origin", "feature")
    clone.git("checkout", "-q", "main")
    clone.commit("upstream.py")
    clone.git("push", "-q", "--no-verify", "origin", "main")
    clone.git("checkout", "-q", "feature")
    clone.git("rebase", "-q", "main")
    service.hold("upstream.py", "bob", "bob-1")
    assert push(clone, "--force", "origin", "feature").returncode == 0
    assert asked(service) == ["feature.py"]


def test_it_takes_the_configured_base(clone: Clone, service: FakeService, remote: Path) -> None:
    clone.git("checkout", "-qb", "release")
    clone.commit("release.py")
    clone.git("push", "-q", "--no-verify", "origin", "release")
    clone.git("checkout", "-qb", "fix")
    clone.commit("fix.py")
    assert push(clone, "origin", "fix", COORD_PUSH_BASE_REF="origin/release").returncode == 0
    assert asked(service) == ["fix.py"]
    service.requests.clear()
    clone.git("push", "-q", "origin", ":fix", "--no-verify")
    clone.git("config", "branch.fix.coordPushBase", "origin/release")
    assert push(clone, "origin", "fix").returncode == 0
    assert asked(service) == ["fix.py"]


def test_it_checks_everything_on_an_empty_remote(
    clone: Clone, service: FakeService, remote: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.git"
    subprocess.run(["git", "init", "-q", "--bare", str(other)], check=True)
    clone.git("remote", "add", "other", str(other))
    clone.git("branch", "--unset-upstream")
    assert push(clone, "other", "main").returncode == 0
    assert asked(service) == [".gitignore", "README.md"]


def test_it_asks_nothing_for_a_deletion(clone: Clone, service: FakeService, remote: Path) -> None:
    clone.git("push", "-q", "--no-verify", "origin", "main:old")
    service.requests.clear()
    assert push(clone, "origin", ":old").returncode == 0
    assert asked(service) == []


def test_it_pushes_from_a_linked_worktree(clone: Clone, service: FakeService, remote: Path) -> None:
    clone.git("worktree", "add", "-q", "../feature", "-b", "feature")
    feature = Clone(clone.path.parent / "feature")
    feature.commit("a.py")
    service.hold("a.py", "bob", "bob-1")
    assert push(feature, "origin", "feature").returncode != 0
    service.claims.clear()
    assert push(feature, "origin", "feature").returncode == 0


def test_it_reads_every_file_name(clone: Clone, service: FakeService, remote: Path) -> None:
    odd = ["café.py", "with space.py", 'quo"te.py', "new\nline.py", "app/[id]/page.tsx"]
    for name in odd:
        clone.commit(name)
    assert push(clone, "origin", "main").returncode == 0
    assert asked(service) == sorted(odd)
    assert len(service.asked("POST", "/verify")) == 1


def test_it_asks_in_batches(clone: Clone, service: FakeService, remote: Path) -> None:
    (clone.path / "many").mkdir()
    for number in range(5100):
        (clone.path / f"many/{number}").touch()
    clone.commit("last.py")
    assert push(clone, "origin", "main").returncode == 0
    assert [len(body["changes"]) for body in service.asked("POST", "/verify")] == [5000, 101]


@pytest.mark.parametrize("trouble", ["away", "token", "answer"])
def test_it_follows_the_mode_when_there_is_no_verdict(
    clone: Clone, service: FakeService, remote: Path, trouble: str
) -> None:
    clone.commit("a.py")
    if trouble == "away":
        clone.initialise("http://127.0.0.1:9")
    elif trouble == "token":
        clone.initialise(service.url, "wrong")
    else:
        service.failure = (200, {"paths": "maybe"})
    enforced = push(clone, "origin", "main", COORD_PREPUSH_MODE="enforce")
    assert enforced.returncode != 0
    assert "no verdict" in enforced.stderr
    advised = push(clone, "origin", "main")
    assert advised.returncode == 0
    assert "coord: this push is not checked" in advised.stderr


def test_it_blocks_a_conflict_in_every_mode(clone: Clone, service: FakeService, remote: Path) -> None:
    service.hold("a.py", "bob", "bob-1")
    clone.commit("a.py")
    assert push(clone, "origin", "main", COORD_PREPUSH_MODE="advise").returncode != 0


def test_it_asks_a_service_without_verify_for_conflicts(
    clone: Clone, service: FakeService, remote: Path
) -> None:
    service.verifies = False
    service.hold("a.py", "bob", "bob-1")
    clone.commit("a.py")
    done = push(clone, "origin", "main")
    assert done.returncode != 0
    assert "coord: a.py is held by bob for 42 more min." in done.stderr
    service.claims.clear()
    assert push(clone, "origin", "main").returncode == 0


def test_it_notices_a_claim_that_was_lost_meanwhile(
    clone: Clone, service: FakeService, remote: Path, fire: Fire
) -> None:
    fire("claude", claude(clone, "SessionStart"))
    fire("claude", edit(clone, "a.py"))
    (clone.path / ".coordination/sessions.live").write_text(f"alice-1 {os.getpid()} 0 hook\n")
    clone.commit("a.py")
    mine = service.claims.pop()
    enforced = push(clone, "origin", "main", COORD_PREPUSH_MODE="enforce")
    assert enforced.returncode != 0
    assert "coord: changed under a claim that is over: a.py." in enforced.stderr
    assert service.asked("POST", "/verify")[-1]["claims"] == [{"id": mine["id"], "fence": mine["fence"]}]
    advised = push(clone, "origin", "main")
    assert advised.returncode == 0
    assert "Next: claim these files again" in advised.stderr


def test_it_never_shows_the_token_on_a_command_line(
    clone: Clone, service: FakeService, remote: Path, tmp_path: Path
) -> None:
    wrapper = tmp_path / "bin"
    wrapper.mkdir()
    log = tmp_path / "commands.log"
    real = subprocess.check_output(["sh", "-c", "command -v git"], text=True).strip()
    (wrapper / "git").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    (wrapper / "git").chmod(0o755)
    clone.commit("a.py")
    path = f"{wrapper}:{os.environ['PATH']}"
    assert push(clone, "origin", "main", PATH=path).returncode == 0
    assert "token-shared" not in log.read_text()


def test_it_runs_the_hook_that_was_there_before(clone: Clone, service: FakeService, remote: Path) -> None:
    before = clone.path / ".git/hooks/pre-push.before-coord"
    before.write_text("#!/bin/sh\ncat > seen.log\nexit ${FAIL:-0}\n")
    before.chmod(0o755)
    clone.commit("a.py")
    given = {"COORD_CHAINED": str(before)}
    assert push(clone, "origin", "main", FAIL="3", **given).returncode != 0
    assert asked(service) == []
    assert push(clone, "origin", "main", **given).returncode == 0
    assert "refs/heads/main" in (clone.path / "seen.log").read_text()


def commit(clone: Clone, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return clone.git("commit", "-qm", "change", *arguments, check=False, **environ)


def test_it_commits_what_nobody_holds(clone: Clone, service: FakeService) -> None:
    install(clone, "pre-commit")
    clone.write("a.py")
    clone.git("add", "a.py")
    done = commit(clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert asked(service) == ["a.py"]


def test_it_refuses_to_commit_what_another_holds_and_names_the_command(
    clone: Clone, service: FakeService
) -> None:
    install(clone, "pre-commit")
    service.hold("b.py", "bob", "bob-1")
    for name in ("a.py", "b.py", "c d.py"):
        clone.write(name)
    clone.git("add", "-A")
    done = commit(clone)
    assert done.returncode != 0
    assert "coord: b.py is held by bob" in done.stderr
    assert "Next: git commit -- a.py 'c d.py'\n" in done.stderr
    assert commit(clone, "--", "a.py", "c d.py").returncode == 0
    assert clone.git("status", "--porcelain").stdout == "A  b.py\n"


def test_it_counts_deletions_and_both_names_of_a_rename(clone: Clone, service: FakeService) -> None:
    clone.commit("old.py", "text\n" * 20)
    install(clone, "pre-commit")
    service.hold("old.py", "bob", "bob-1")
    clone.git("mv", "old.py", "new.py")
    done = commit(clone)
    assert done.returncode != 0
    assert "old.py is held by bob" in done.stderr


def test_it_leaves_the_other_branch_out_of_a_merge(clone: Clone, service: FakeService) -> None:
    clone.commit("shared.py", "base\n")
    clone.git("checkout", "-qb", "theirs")
    clone.commit("theirs.py")
    clone.commit("shared.py", "theirs\n")
    clone.git("checkout", "-q", "main")
    clone.commit("shared.py", "ours\n")
    install(clone, "pre-commit")
    clone.git("merge", "-q", "theirs", check=False)
    clone.write("shared.py", "both\n")
    clone.git("add", "shared.py")
    service.hold("theirs.py", "bob", "bob-1")
    assert commit(clone).returncode == 0
    assert asked(service) == ["shared.py"]


def test_it_tells_the_agent_that_commits_from_the_others_in_the_clone(
    clone: Clone, service: FakeService
) -> None:
    """Two agents live in one clone; the commit runs under one of them."""
    install(clone, "pre-commit")
    live = clone.path / ".coordination/sessions.live"
    with subprocess.Popen(["sleep", "60"]) as bob:
        try:
            live.write_text(f"alice-1 {os.getpid()} 0 hook\nbob-1 {bob.pid} 0 hook\n")
            service.hold("a.py", "alice", "alice-1")
            service.hold("b.py", "bob", "bob-1")
            clone.write("a.py")
            clone.write("b.py")
            clone.git("add", "-A")
            done = commit(clone)
            assert done.returncode != 0
            assert "Next: git commit -- a.py\n" in done.stderr
            assert commit(clone, "--", "a.py").returncode == 0
        finally:
            bob.kill()


def test_it_checks_the_first_commit(make_clone, service: FakeService, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    clone = Clone(fresh)
    clone.git("init", "-q")
    clone.initialise(service.url)
    install(clone, "pre-commit")
    clone.git("add", "-A")
    assert commit(clone).returncode == 0
    assert asked(service) == [".gitignore"]


def test_it_lets_pass_where_nothing_was_initialised(make_clone, service: FakeService) -> None:
    clone = make_clone("other")
    install(clone, "pre-commit")
    clone.write("a.py")
    clone.git("add", "-A")
    done = commit(clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert service.requests == []
