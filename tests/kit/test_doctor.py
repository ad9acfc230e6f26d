"""`coord doctor`: every fault is found and named with its command, and each hook is really tried."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.conftest import Clone
from tests.kit.running import Runner
from tests.kit.service import FakeService

ALL = ["blocks edits", "blocks commits", "blocks pushes"]


Wire = Callable[..., Clone]


@pytest.fixture
def wire(make_clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Make a repository and run `coord init` for these tools in it."""

    def make(*tools: str) -> Clone:
        monkeypatch.setenv("COORD_AUTH_TOKEN", "token-shared")
        clone = make_clone("app")
        named = [word for tool in tools for word in ("--tool", tool)]
        done = coord(clone.path, "init", "--yes", "--mode", "remote", "--service-url", service.url, *named)
        assert done.code == 0, done
        monkeypatch.delenv("COORD_AUTH_TOKEN")
        return clone

    return make


@pytest.fixture
def wired(wire: Wire) -> Clone:
    """A repository wired for one tool."""
    return wire("claude")


@pytest.fixture
def wired_all(wire: Wire) -> Clone:
    """A repository wired for all three."""
    return wire("claude", "codex", "cursor")


def levels(found: dict, level: str) -> dict[str, dict]:
    return {check["name"]: check for check in found["checks"] if check["level"] == level}


def test_it_finds_nothing_wrong_and_tries_every_hook(
    wired_all: Clone, coord: Runner, service: FakeService
) -> None:
    done = coord(wired_all.path, "doctor", "--json")
    assert done.code == 0
    found = done.json
    assert (levels(found, "fail"), levels(found, "warn")) == ({}, {})
    assert found["protection"] == {"claude": ALL, "codex": ALL, "cursor": ALL}
    assert {name for name in levels(found, "ok") if name.startswith("trial_")} == {
        "trial_pre_commit", "trial_pre_push", "trial_claude_edit", "trial_claude_shell",
        "trial_codex_edit", "trial_codex_shell", "trial_cursor_edit", "trial_cursor_shell",
    }  # fmt: skip


def test_it_leaves_nothing_behind(wired: Clone, coord: Runner, service: FakeService) -> None:
    wired.git("add", "-A")
    wired.git("commit", "-qm", "wiring", "--no-verify")
    places = [wired.path / ".git", wired.path / ".coordination"]
    before = [sorted(place.rglob("*")) for place in places]
    assert coord(wired.path, "doctor").code == 0
    assert service.claims == []
    assert wired.git("status", "--porcelain").stdout == ""
    assert [sorted(place.rglob("*")) for place in places] == before


def test_it_says_it_for_people_too(wired: Clone, coord: Runner) -> None:
    done = coord(wired.path, "doctor")
    assert "OK    .mcp.json is up to date\n" in done.out
    assert done.out.endswith(
        "What happens to a file that somebody else holds:\n"
        "  claude   blocks edits, blocks commits, blocks pushes\n"
    )


def test_it_fails_outside_of_a_repository(tmp_path: Path, make_clone, coord: Runner) -> None:
    done = coord(tmp_path, "doctor")
    assert (done.code, done.out.splitlines()[1].strip()) == (1, "git init")
    done = coord(make_clone("bare").path, "doctor")
    assert (done.code, done.out) == (1, "FAIL  this repository is not initialised\n        coord init\n")


def test_it_never_crashes_over_a_broken_configuration(wired: Clone, coord: Runner) -> None:
    (wired.path / ".coordination/config.toml").write_text("tool = [")
    done = coord(wired.path, "doctor")
    assert done.code == 1
    assert done.out.startswith("FAIL  ")
    assert "config.toml cannot be read" in done.out


@pytest.mark.parametrize(
    ("name", "text", "check", "level", "words"),
    [
        (".mcp.json", None, "claude_mcp", "fail", ".mcp.json is missing"),
        (".mcp.json", "{", "claude_mcp", "fail", "is not valid JSON"),
        (".claude/settings.json", None, "claude_hooks", "fail", "is missing"),
        ("CLAUDE.md", "# mine\n", "claude_text", "warn", "CLAUDE.md is out of date"),
        (".codex/config.toml", "[", "codex_mcp", "fail", "is not valid TOML"),
        (".cursor/hooks.json", '{"version": 1, "hooks": {}}', "cursor_hooks", "warn", "is out of date"),
        (".coordination/owners.yaml", "areas: 3\n", "ownership", "fail", "owners.yaml: "),
        (".coordination/owners.yaml", "areas: [\n", "ownership", "fail", "owners.yaml: "),
        (".git/hooks/pre-push", None, "pre-push", "warn", "pre-push is missing"),
        (".coordination/hooks/pre-push", "#!/bin/sh\n", "pre-push", "warn", "pre-push is out of date"),
        (".coordination/sessions.live", "gone 4194000 1\nodd\n", "sessions", "warn", "(0/2)"),
        (".coordination/local.env", None, "local_env", "fail", "local.env is missing"),
    ],
)
def test_it_finds_a_fault_and_mends_it_where_that_is_safe(
    wire: Wire, coord: Runner, name: str, text: str | None, check: str, level: str, words: str
) -> None:
    tool = next((tool for tool in ("codex", "cursor") if check.startswith(tool)), "claude")
    wired = wire(tool)
    path = wired.path / name
    path.unlink() if text is None else path.write_text(text)
    found = coord(wired.path, "doctor", "--quick", "--json").json
    fault = levels(found, level)[check]
    assert words in fault["text"]
    assert fault["mend"]
    mended = coord(wired.path, "doctor", "--quick", "--fix", "--json").json
    still = {**levels(mended, "fail"), **levels(mended, "warn")}
    if fault["fixable"] and name != ".coordination/local.env":
        assert mended["fixed"]
        assert still == {}
    else:
        assert check in still or name == ".coordination/local.env"
        assert text is None or path.read_text() == text


def test_it_tells_the_protection_that_is_left_when_a_tool_ignores_the_hooks(
    wired: Clone, coord: Runner
) -> None:
    local = wired.path / ".claude/settings.local.json"
    local.write_text(json.dumps({"disableAllHooks": True}))
    found = coord(wired.path, "doctor", "--json").json
    assert found["protection"]["claude"] == ["blocks commits", "blocks pushes"]
    coord(wired.path, "guard", "remove")
    found = coord(wired.path, "doctor", "--json").json
    assert found["protection"]["claude"] == ["only warns"]


def test_it_tells_when_a_hook_does_not_block(wired: Clone, coord: Runner, tmp_path: Path) -> None:
    """A hook program that lets everything pass is found by trying it, not by looking at files."""
    (tmp_path / "bin/coord-hook").write_text("#!/bin/sh\nexit 0\n")
    done = coord(wired.path, "doctor", "--json")
    assert done.code == 1
    assert "passed" in levels(done.json, "fail")["trial_claude_edit"]["text"]
    assert done.json["protection"]["claude"] == ["only warns"]


def test_it_tells_when_programs_are_not_on_path(
    wired: Clone, coord: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare, git = tmp_path / "bare", str(shutil.which("git"))
    bare.mkdir()
    for name in ("sh", "cat", "dirname"):
        (bare / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(bare))
    assert "git" in levels(coord(wired.path, "doctor", "--quick", "--json").json, "fail")
    (bare / "git").symlink_to(git)
    done = coord(wired.path, "doctor", "--json")
    assert done.code == 1
    assert {"coord_mcp", "coord_hook", "trial_claude_edit"} <= set(levels(done.json, "fail"))
    assert "PATH" in levels(done.json, "fail")["coord_hook"]["mend"]


def test_it_tells_that_nothing_is_checked_while_the_service_is_away(
    wired: Clone, coord: Runner, service: FakeService
) -> None:
    (wired.path / ".coordination/local.env").write_text(
        "COORD_API_URL=http://127.0.0.1:9\nCOORD_AUTH_TOKEN=token-shared\nCOORD_REPO_ID=app\n"
    )
    done = coord(wired.path, "doctor", "--json")
    assert done.code == 1
    assert levels(done.json, "fail")["service"]["mend"] == "coord start --port 9 --background"
    assert done.json["protection"]["claude"] == ["only warns"]
    config = wired.path / ".coordination/config.toml"
    config.write_text(config.read_text().replace('"warn"', '"block"'))
    assert coord(wired.path, "doctor", "--json").json["protection"]["claude"] == ["blocks edits"]


def test_it_finds_a_policy_that_is_spelled_wrong(wired: Clone, coord: Runner) -> None:
    """It would count as the mildest one."""
    config, env = (wired.path / ".coordination" / name for name in ("config.toml", "local.env"))
    config.write_text(config.read_text().replace('"warn"', '"blok"'))
    env.write_text(env.read_text() + "COORD_PREPUSH_MODE=enforced\n")
    found = levels(coord(wired.path, "doctor", "--quick", "--json").json, "warn")
    assert found["on_unreachable"]["text"].startswith("on_unreachable = 'blok' counts as 'warn'")
    assert found["prepush_mode"]["text"].startswith("COORD_PREPUSH_MODE=enforced counts as advise")
    assert str(config) in found["on_unreachable"]["mend"]


def test_it_tells_that_the_token_is_refused(wired: Clone, coord: Runner) -> None:
    path = wired.path / ".coordination/local.env"
    path.write_text(path.read_text().replace("token-shared", "wrong"))
    found = coord(wired.path, "doctor", "--quick", "--json").json
    check = levels(found, "fail")["token"]
    assert check["text"] == "the service refuses the token (from local.env): Invalid bearer token"
    assert "wrong" not in json.dumps(found)


def test_it_warns_about_a_token_that_others_can_read_or_git_tracks(wired: Clone, coord: Runner) -> None:
    path = wired.path / ".coordination/local.env"
    path.chmod(0o644)
    wired.git("add", "-f", str(path))
    found = coord(wired.path, "doctor", "--quick", "--json").json
    assert "others may read local.env (mode 644)" in levels(found, "warn")["local_env"]["text"]
    assert "git rm --cached" in levels(found, "fail")["local_env_tracked"]["mend"]
    coord(wired.path, "doctor", "--quick", "--fix")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("identity", "level", "words"),
    [
        ({"engineer": "alice/claude"}, "ok", "the token proves alice/claude"),
        ({"engineer": None}, "ok", "claims are made as Alice Example (a shared token proves nobody)"),
        ({"engineer": "bob", "role": "ci"}, "fail", "the token has the role ci, which claims nothing"),
        ({"engineer": "bob", "repositories": ["acme/other"]}, "fail", "the token is for acme/other"),
        ({"engineer": "bob", "repositories": ["app"]}, "ok", "the token proves bob"),
    ],
)
def test_it_looks_at_the_identity(
    wired: Clone, coord: Runner, service: FakeService, identity: dict, level: str, words: str
) -> None:
    service.identity = identity
    found = coord(wired.path, "doctor", "--quick", "--json").json
    assert words in levels(found, level)["identity"]["text"]


def test_it_warns_when_the_configured_name_is_not_the_tokens(
    wired: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.identity = {"engineer": "alice"}
    monkeypatch.setenv("COORD_USER", "bob")
    found = coord(wired.path, "doctor", "--quick", "--json").json
    assert "the token is alice's; COORD_USER says bob" in levels(found, "warn")["identity"]["text"]


@pytest.mark.parametrize(
    ("theirs", "words"),
    [("99.0.0", "the service is newer (99.0.0)"), ("0.0.1", "than the service (0.0.1)")],
)
def test_it_names_the_side_that_is_behind(
    wired: Clone, coord: Runner, service: FakeService, theirs: str, words: str
) -> None:
    service.version = theirs
    check = levels(coord(wired.path, "doctor", "--quick", "--json").json, "warn")["version"]
    assert words in check["text"]
    assert check["mend"]


def test_it_works_in_a_linked_worktree(wired: Clone, coord: Runner) -> None:
    wired.git("add", "-A")
    wired.git("commit", "-qm", "wiring", "--no-verify")
    wired.git("worktree", "add", "-q", "../feature", "-b", "feature")
    feature = wired.path.parent / "feature"
    done = coord(feature, "doctor", "--json")
    assert done.code == 0
    assert "linked work tree of" in levels(done.json, "ok")["worktree"]["text"]
    assert done.json["protection"]["claude"] == ALL
    (feature / ".coordination").mkdir()
    (feature / ".coordination/local.env").write_text("COORD_AUTH_TOKEN=x\n")
    assert "worktree" in levels(coord(feature, "doctor", "--json").json, "fail")


def test_it_works_in_a_wired_subdirectory(
    make_clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COORD_AUTH_TOKEN", "token-shared")
    clone = make_clone("mono")
    clone.commit("apps/web/index.ts")
    coord(clone.path, "init", "--yes", "--mode", "remote", "--service-url", service.url, "--root", "apps/web")
    for place in (clone.path, clone.path / "apps/web"):
        done = coord(place, "doctor", "--json")
        assert done.code == 0, done
        assert done.json["protection"] == {"claude": ALL}


@pytest.mark.parametrize("standing", [None, '#!/bin/sh\ntest -z "$FAILS"\n'])
@pytest.mark.parametrize("path", [".githooks", ".husky/_"])
def test_the_command_it_names_adds_the_guard_to_the_projects_own_hooks(
    wired: Clone, coord: Runner, path: str, standing: str | None
) -> None:
    """Run as printed, it is enough; what the hook did before still decides first."""
    wired.git("config", "core.hooksPath", path)
    script = wired.path / path.removesuffix("/_") / "pre-commit"
    script.parent.mkdir()
    if standing:
        script.write_text(standing)
        script.chmod(0o755)
    if path.endswith("_"):  # what husky generates
        generated = wired.write(
            f"{path}/pre-commit", '#!/bin/sh\nsh -e "$(dirname "$0")/../pre-commit" "$@"\n'
        )
        generated.chmod(0o755)
    found = coord(wired.path, "doctor", "--json").json
    assert found["protection"]["claude"] == ["blocks edits"]
    subprocess.run(levels(found, "warn")["pre-commit"]["mend"], shell=True, cwd=wired.path, check=True)
    found = coord(wired.path, "doctor", "--json").json
    assert found["protection"]["claude"] == ["blocks edits", "blocks commits"]
    wired.write("a.py")
    wired.git("add", "a.py")
    assert wired.git("commit", "-m", "x", check=False, FAILS="1").returncode == (1 if standing else 0)


def test_a_hook_that_git_ignores_protects_nothing(wired: Clone, coord: Runner) -> None:
    wired.git("config", "core.hooksPath", ".githooks")
    wired.write(".githooks/pre-push", 'coord-hook pre-push "$@"\n').chmod(0o644)
    found = coord(wired.path, "doctor", "--json").json
    assert levels(found, "warn")["pre-push"]["mend"] == "chmod +x .githooks/pre-push"
    assert found["protection"]["claude"] == ["blocks edits"]


def test_it_does_not_run_the_users_own_hooks_in_a_trial(wired: Clone, coord: Runner) -> None:
    mine = wired.path / ".git/hooks/pre-commit.before-coord"
    mine.write_text("#!/bin/sh\ntouch ran.log\n")
    mine.chmod(0o755)
    assert coord(wired.path, "doctor").code == 0
    assert not os.path.exists(wired.path / "ran.log")
