"""Guards: how much one claim may cover, where the tracked files are known."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from claims import checkout
from claims.models import Claim, Repository


def git(tree: Path, *arguments: str) -> None:
    own = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "-C", str(tree), *own, *arguments], check=True, capture_output=True, env=environ)


def plant(tree: Path, *names: str) -> Path:
    """A checkout that tracks these files."""
    tree.mkdir(exist_ok=True)
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    return tree


@pytest.fixture
def tree(tmp_path, config) -> Path:
    """The environment's checkout: 100 files, 60 of them in lib."""
    names = [f"lib/m{n}.py" for n in range(60)] + [f"app/{n}.py" for n in range(40)]
    root = plant(tmp_path / "tree", *names)
    config(repo_root=str(root), repo_id="org/app", max_claim_files=50, max_claim_ratio=0.3)
    return root


def refused(answer: tuple[int, dict]) -> str:
    status, body = answer
    assert status == 400, body
    assert (body["claim_ids"], body["conflicts"]) == ([], [])
    assert body["options"] == ["narrow_claim", "escalate"]
    assert body["next"]
    assert not Claim.objects.exists()
    (warning,) = body["warnings"]
    return warning


def test_a_pattern_covers_at_most_so_many_files(api, clock, tree):
    assert refused(api.claim("alice", "lib/**", repo="org/app")) == (
        "Pattern 'lib/**' matches 60 files; max is 50"
    )


def test_a_pattern_covers_at_most_such_a_share(api, clock, tree):
    assert refused(api.claim("alice", "app/**", repo="org/app")) == (
        "Pattern 'app/**' covers 40% of repo; max is 30%"
    )


def test_a_call_covers_at_most_such_a_share(api, clock, tree):
    patterns = ("lib/m1*.py", "lib/m2*.py", "app/1*.py")
    assert refused(api.claim("alice", *patterns, repo="org/app")) == (
        "The patterns together cover 33% of repo; max is 30%"
    )
    assert api.claim("alice", *patterns[:2], repo="org/app")[0] == 200


def test_the_bound_itself_is_allowed(api, clock, tree, config):
    config(max_claim_files=60, max_claim_ratio=0.6)
    assert api.claim("alice", "lib/**", repo="org/app")[0] == 200


def test_zero_files_means_no_limit(api, clock, tree, config):
    config(max_claim_files=0, max_claim_ratio=1)
    assert api.claim("alice", "**", repo="org/app")[0] == 200


def test_it_holds_for_the_repository_without_an_id_and_for_no_other(api, clock, tree):
    refused(api.claim("alice", "lib/**"))
    assert api.claim("alice", "lib/**", repo="org/other")[0] == 200


def test_a_scope_switches_the_share_off_and_counts_inside(api, clock, tree, config):
    config(repo_scope="app", max_claim_files=40)
    assert api.claim("alice", "app/**", repo="org/app")[0] == 200
    assert api.claim("bob", "lib/**", repo="org/app")[0] == 200
    config(max_claim_files=39)
    status, body = api.claim("carol", "app/**", repo="org/app")
    assert (status, body["warnings"]) == (400, ["Pattern 'app/**' matches 40 files; max is 39"])


def test_a_repository_has_limits_of_its_own(api, clock, tree):
    Repository.objects.create(name="org/app", max_claim_files=100, max_claim_ratio=0.9, created_at=clock())
    assert api.claim("alice", "lib/**", repo="org/app")[0] == 200


@pytest.mark.parametrize("count", [1, 4, 19])
def test_a_small_repository_refuses_no_file(api, clock, tmp_path, config, count):
    root = plant(tmp_path / "small", *[f"{n}.py" for n in range(count)])
    config(repo_root=str(root), repo_id="org/app")
    assert api.claim("alice", "0.py", repo="org/app")[0] == 200


def test_many_plain_files_in_one_call_are_work_not_a_guess(api, clock, tree):
    names = [f"lib/m{n}.py" for n in range(45)]
    assert api.claim("alice", *names, repo="org/app")[0] == 200


@pytest.mark.parametrize("kind", ["missing", "no checkout", "a file", "broken", "empty"])
def test_a_broken_checkout_refuses_nothing(api, clock, tmp_path, config, kind):
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("")
    elif kind != "missing":
        place.mkdir()
    if kind == "broken":
        (place / ".git").write_text("gitdir: /nowhere")
    if kind == "empty":
        git(place, "init", "-q")
    config(repo_root=str(place), repo_id="org/app")
    status, body = api.claim("alice", "src/a.py", repo="org/app")
    assert status == 200
    assert api.claim("bob", "**", repo="org/app")[0] == 409
    if kind == "empty":
        assert body["warnings"] == []
    else:
        assert body["warnings"][0].startswith("The checkout cannot be read")


def test_a_pattern_without_a_file_is_granted_with_a_warning(api, clock, tree):
    _, body = api.claim("alice", "lib/new.py", "LIB/M2.py", "lib/m1.py", repo="org/app")
    assert len(body["claim_ids"]) == 3
    new, misspelt = body["warnings"]
    assert new.startswith("Pattern 'lib/new.py' matches no tracked file. It is held all the same")
    assert misspelt == "Pattern 'LIB/M2.py' matches no tracked file. Did you mean 'lib/m2.py'? Case counts."


def test_a_refusal_warns_of_nothing(api, clock, tree):
    api.claim("alice", "lib/new.py", repo="org/app")
    assert api.claim("bob", "lib/new.py", repo="org/app")[1]["warnings"] == []


def test_overlap_names_the_real_files(api, clock, tree, config):
    config(max_claim_ratio=1, max_claim_files=0)
    api.claim("alice", "lib/m*1.py", repo="org/app")
    _, body = api.claim("bob", "lib/m1*.py", repo="org/app")
    assert body["conflicts"][0]["overlap"] == ["lib/m1.py", "lib/m11.py"]
    _, check = api.get("/conflicts?engineer=bob&pattern=lib/m1*.py&repo=org/app")
    assert check["conflicts"][0]["overlap"] == ["lib/m1.py", "lib/m11.py"]


@pytest.mark.parametrize(
    "name", ["src/untracked.py", "src/caf\u00e9.py", "app/[id]/page.tsx", "outside/x.py", "a b.py"]
)
def test_a_checkout_never_changes_the_verdict(api, clock, tree, config, name):
    config(repo_scope="app")
    for repo in ("org/app", "org/unmounted"):
        assert api.claim("alice", name, repo=repo)[0] == 200
        query = {"engineer": "bob", "patterns": [name], "repo": repo}
        assert api.post("/conflicts/batch", query)[1]["has_conflicts"] is True
        status, body = api.claim("bob", name, repo=repo)
        assert status == 409
        assert body["conflicts"][0]["overlap"] == [name]


def test_quoted_and_bracketed_names_are_found_in_the_checkout(api, clock, tmp_path, config):
    names = ["src/caf\u00e9.py", "app/[id]/page.tsx", 'odd "name".py']
    root = plant(tmp_path / "odd", *names, *[f"f{n}" for n in range(30)])
    config(repo_root=str(root), repo_id="org/app")
    _, body = api.claim("alice", *names, repo="org/app")
    assert (len(body["claim_ids"]), body["warnings"]) == (3, [])


def test_a_changed_index_is_seen(api, clock, tree):
    assert "matches no" in api.claim("alice", "lib/new.py", repo="org/app")[1]["warnings"][0]
    (tree / "lib" / "new.py").write_text("")
    git(tree, "add", "-A")
    os.utime(tree / ".git" / "index", (1, 1))
    checkout._cache.clear()
    assert api.claim("alice", "lib/new.py", repo="org/app")[1]["warnings"] == []
