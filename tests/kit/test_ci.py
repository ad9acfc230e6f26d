"""`coord ci`: the gate of a pipeline, over real commits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.kit.conftest import Clone
from tests.kit.running import Runner
from tests.kit.service import FakeService


@pytest.fixture
def branch(clone: Clone, service: FakeService, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A branch that changes two files; the base went on meanwhile. CI's settings are in the environment."""
    clone.git("checkout", "-qb", "feature")
    clone.commit("src/a.py")
    clone.commit("näme, 1%.py")
    clone.git("checkout", "-q", "main")
    clone.commit("upstream.py")
    clone.git("checkout", "-q", "feature")
    (clone.path / ".coordination/local.env").unlink()
    monkeypatch.setenv("COORD_API_URL", service.url)
    monkeypatch.setenv("COORD_AUTH_TOKEN", "token-shared")
    monkeypatch.setenv("COORD_REPO_ID", "acme/app")
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "GITLAB_CI", "CI_PROJECT_PATH"):
        monkeypatch.delenv(name, raising=False)
    return clone


def test_it_lets_a_clean_range_land(branch: Clone, coord: Runner, service: FakeService) -> None:
    service.hold("upstream.py", "bob", "bob-1")
    done = coord(branch.path, "ci", "--base", "main", "--head", "HEAD")
    assert (done.code, done.err) == (0, "")
    assert done.out == "coord: 2 changed files, none of them held by others.\n"
    [asked] = service.asked("POST", "/verify")
    assert sorted(asked["changes"]) == ["näme, 1%.py", "src/a.py"]
    assert (asked["repo"], asked["engineer"], len(asked["head"])) == ("acme/app", "Alice Example", 40)


def test_it_stops_what_somebody_holds(branch: Clone, coord: Runner, service: FakeService) -> None:
    held = service.hold("src/**", "bob", "bob-1", description="rework")
    done = coord(branch.path, "ci", "--base", "main")
    assert done.code == 1
    assert done.out.splitlines()[0] == "coord: src/a.py is held by bob for 42 more min (rework)."
    done = coord(branch.path, "ci", "--base", "main", "--json")
    assert done.code == 1
    assert (done.json["ok"], done.json["changed"]) == (False, 2)
    assert done.json["conflicts"] == [
        {
            "path": "src/a.py",
            "verdict": "held_by_other",
            "holder": "bob",
            "claim_id": held["id"],
            "minutes_left": 42,
            "detail": "src/a.py is held by bob for 42 more min (rework).",
        }
    ]


def test_it_annotates_files_for_github(
    branch: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.hold("näme, 1%.py", "bob", "bob-1", description="100% mine")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = coord(branch.path, "ci", "--base", "main")
    assert done.code == 1
    assert done.out.splitlines()[0] == (
        "::error file=näme%2C 1%25.py,line=1,title=coord::"
        "näme, 1%25.py is held by bob for 42 more min (100%25 mine)."
    )


def test_it_writes_gitlabs_code_quality_report(
    branch: Clone, coord: Runner, service: FakeService, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    assert coord(branch.path, "ci", "--base", "main", "--output", str(report)).code == 0
    assert json.loads(report.read_text()) == []
    service.hold("src/a.py", "bob", "bob-1")
    assert coord(branch.path, "ci", "--base", "main", "--output", str(report)).code == 1
    [entry] = json.loads(report.read_text())
    assert entry["location"] == {"path": "src/a.py", "lines": {"begin": 1}}
    assert (entry["check_name"], entry["severity"], len(entry["fingerprint"])) == ("coord", "blocker", 64)


def test_it_lets_the_authors_land_their_own(branch: Clone, coord: Runner, service: FakeService) -> None:
    service.hold("src/a.py", "Alice Example")
    service.hold("näme, 1%.py", "carol")
    assert coord(branch.path, "ci", "--base", "main").code == 1
    branch.git("commit", "-q", "--allow-empty", "-m", "review\n\nCoord-Engineer: carol")
    assert coord(branch.path, "ci", "--base", "main").code == 0
    assert coord(branch.path, "ci", "--base", "main", "--engineer", "dave").code == 1


def test_it_stops_what_was_made_under_a_claim_that_is_over(
    branch: Clone, coord: Runner, service: FakeService
) -> None:
    mine = service.hold("src/a.py", "Alice Example")
    claim = f"{mine['id']}:{mine['fence']}"
    assert coord(branch.path, "ci", "--base", "main", "--claim", claim).code == 0
    service.claims.clear()
    done = coord(branch.path, "ci", "--base", "main", "--claim", claim)
    assert done.code == 1
    assert "src/a.py was changed under a claim that is over" in done.out
    branch.git("commit", "-q", "--allow-empty", "-m", f"x\n\nCoord-Claim: {mine['id']} {mine['fence']}")
    assert (
        coord(branch.path, "ci", "--base", "main", "--json").json["conflicts"][0]["verdict"] == "stale_fence"
    )
    done = coord(branch.path, "ci", "--base", "main", "--claim", "nonsense")
    assert (done.code, "is not ID:FENCE" in done.err) == (2, True)


def test_it_follows_the_policy_without_a_verdict(
    branch: Clone, coord: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COORD_API_URL", "http://127.0.0.1:9")
    done = coord(branch.path, "ci", "--base", "main")
    assert (done.code, "coord: no verdict: http://127.0.0.1:9 does not answer" in done.out) == (2, True)
    done = coord(branch.path, "ci", "--base", "main", "--on-unreachable", "warn")
    assert (done.code, "no verdict" in done.out) == (0, True)


def test_it_gives_no_verdict_over_a_refused_token(
    branch: Clone, coord: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COORD_AUTH_TOKEN", "wrong")
    done = coord(branch.path, "ci", "--base", "main", "--json")
    assert (done.code, done.json["ok"]) == (2, False)
    assert "refuses the token" in done.json["fault"]


def test_it_says_what_a_shallow_clone_lacks(branch: Clone, coord: Runner, tmp_path: Path) -> None:
    done = coord(branch.path, "ci", "--base", "0" * 40)
    assert (done.code, "fetch the whole history (fetch-depth: 0)" in done.out) == (2, True)
    done = coord(branch.path, "ci")
    assert (done.code, done.err) == (2, "coord: Name the range: --base REF --head REF\n")


@pytest.mark.parametrize("kind", ["pull_request", "merge_group"])
def test_it_takes_the_range_from_githubs_event(
    branch: Clone,
    coord: Runner,
    service: FakeService,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
) -> None:
    base, head = (branch.git("rev-parse", ref).stdout.strip() for ref in ("main", "feature~1"))
    event = {"pull_request": {"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}}
    event["merge_group"] = {"merge_group": {"base_sha": base, "head_sha": head}}
    (tmp_path / "event.json").write_text(json.dumps(event[kind]))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    monkeypatch.delenv("COORD_REPO_ID")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/other")
    assert coord(branch.path, "ci").code == 0
    [asked] = service.asked("POST", "/verify")
    assert (asked["changes"], asked["repo"]) == (["src/a.py"], "acme/other")


def test_it_says_in_gits_words_why_it_cannot_read_the_checkout(
    branch: Clone, coord: Runner, service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner's checkout often belongs to another user."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    done = coord(branch.path, "ci", "--base", "main")
    assert (done.code, "dubious ownership" in done.out, len(done.out.splitlines())) == (2, True, 1)
    place = tmp_path / "elsewhere"
    place.mkdir()
    assert "not a git repository" in coord(place, "ci", "--base", "main").out


@pytest.mark.parametrize("merged_results", [False, True])
def test_it_takes_the_range_from_gitlabs_variables(
    branch: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch, merged_results: bool
) -> None:
    monkeypatch.delenv("COORD_REPO_ID")
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_PATH", "group/sub/app")
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", branch.git("rev-parse", "main").stdout.strip())
    source = branch.git("rev-parse", "feature").stdout.strip()
    monkeypatch.setenv("CI_COMMIT_SHA", "0" * 40 if merged_results else source)
    monkeypatch.setenv("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", source if merged_results else "")
    assert coord(branch.path, "ci").code == 0
    [asked] = service.asked("POST", "/verify")
    assert (len(asked["changes"]), asked["repo"]) == (2, "sub/app")


def test_it_prints_ready_pipelines(tmp_path: Path, coord: Runner) -> None:
    github = yaml.safe_load(coord(tmp_path, "ci", "--template", "github").out)
    assert set(github[True]) == {"pull_request", "merge_group"}
    steps = github["jobs"]["claims"]["steps"]
    assert steps[-1]["run"] == 'coord ci --base "$BASE" --head "$HEAD"'
    assert "secrets.COORD_AUTH_TOKEN" in steps[-1]["env"]["COORD_AUTH_TOKEN"]
    gitlab = yaml.safe_load(coord(tmp_path, "ci", "--template", "gitlab").out)
    assert gitlab["coord"]["script"][-1].startswith("coord ci --output ")


@pytest.mark.parametrize(
    ("system", "name"), [("github", ".github/workflows/coord.yml"), ("gitlab", ".gitlab/coord.yml")]
)
def test_init_installs_a_pipeline_and_keeps_an_edited_one(
    make_clone, coord: Runner, service: FakeService, system: str, name: str
) -> None:
    clone = make_clone("other")
    asked = ("init", "--yes", "--mode", "remote", "--service-url", service.url, "--ci", system)
    assert coord(clone.path, *asked).code == 0
    path = clone.path / name
    assert path.read_text() == coord(clone.path, "ci", "--template", system).out
    path.write_text("# mine\n")
    done = coord(clone.path, *asked)
    assert (done.code, "was edited" in done.out, path.read_text()) == (1, True, "# mine\n")
