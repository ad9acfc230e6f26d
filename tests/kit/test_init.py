"""`coord init` and `coord upgrade` in real repositories: everything of the user's stays, nothing leaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.core.management import CommandError

from tests.kit.conftest import TOKEN, Clone, Run
from tests.kit.service import FakeService

ROOT = Path(__file__).parents[2]


def everything(clone: Clone) -> dict[str, str]:
    """The text of every file outside of git's own (except its hooks)."""
    return {
        str(path.relative_to(clone.path)): path.read_text()
        for path in sorted(clone.path.rglob("*"))
        if path.is_file()
        and (".git" not in path.parts or "hooks" in path.parts)
        and not path.name.endswith(".sample")
    }


def test_it_wires_all_three_tools(fresh: Clone, run: Run, service: FakeService) -> None:
    fresh.git("remote", "add", "origin", "git@github.com:acme/app.git")
    run(fresh.path, "init", "--tool", "claude", "--tool", "codex", "--tool", "cursor")
    files = everything(fresh)
    assert {
        ".coordination/config.toml", ".coordination/local.env", ".coordination/owners.yaml",
        ".coordination/hooks/pre-push", ".coordination/hooks/pre-commit", ".gitignore",
        ".git/hooks/pre-push", ".git/hooks/pre-commit",
        ".mcp.json", ".claude/settings.json", "CLAUDE.md",
        ".codex/config.toml", ".codex/hooks.json", "AGENTS.md",
        ".cursor/mcp.json", ".cursor/hooks.json", ".cursor/rules/coordination.mdc",
    } <= set(files)  # fmt: skip
    config = tomllib.loads(files[".coordination/config.toml"])
    assert config["version"] == 1
    assert config["tools"] == ["claude", "codex", "cursor"]
    assert config["repo_id"] == "acme/app"
    assert config["service_url"] == service.url
    assert config["on_unreachable"] == "warn"
    assert files[".cursor/rules/coordination.mdc"].startswith("---\ndescription:")


def test_it_tells_agents_in_twelve_lines_at_most(fresh: Clone, run: Run) -> None:
    run(fresh.path, "init", "--tool", "claude", "--tool", "codex", "--tool", "cursor")
    for name in ("CLAUDE.md", "AGENTS.md", ".cursor/rules/coordination.mdc"):
        text = (fresh.path / name).read_text()
        block = text[text.index("<!-- coord:begin -->") :]
        assert block.rstrip().endswith("<!-- coord:end -->")
        assert len(block.splitlines()) <= 12


def test_it_keeps_crlf_files_and_the_byte_order_mark(fresh: Clone, run: Run) -> None:
    (fresh.path / "CLAUDE.md").write_bytes(b"# Mine\r\n")
    (fresh.path / ".gitignore").write_bytes(b"dist\r\n")
    run(fresh.path)
    assert b"# Mine\r\n\r\n<!-- coord:begin -->\r\n" in (fresh.path / "CLAUDE.md").read_bytes()
    before = everything(fresh)
    out, _ = run(fresh.path)
    assert {line.split()[0] for line in out.splitlines() if not line.startswith("Next:")} == {"unchanged"}
    assert everything(fresh) == before


def test_it_says_of_an_upgrade_what_it_would_do(fresh: Clone, run: Run) -> None:
    run(fresh.path)
    (fresh.path / "CLAUDE.md").write_text("# mine\n")
    hook = fresh.path / ".coordination/hooks/pre-push"
    hook.write_text("#!/bin/sh\n")
    out, _ = run(fresh.path, "upgrade", "--dry-run")
    assert "+<!-- coord:begin -->" in out
    assert (fresh.path / "CLAUDE.md").read_text() == "# mine\n"
    out, _ = run(fresh.path, "upgrade", "--json")
    kinds = {row["path"]: row["kind"] for row in json.loads(out)["changes"]}
    assert (kinds["CLAUDE.md"], kinds[".coordination/hooks/pre-push"]) == ("updated", "updated")
    assert set(kinds.values()) == {"updated", "unchanged"}


def test_it_keeps_the_token_out_of_every_tracked_file(fresh: Clone, run: Run) -> None:
    run(fresh.path, "init", "--tool", "claude", "--tool", "codex", "--tool", "cursor")
    holding = [name for name, text in everything(fresh).items() if TOKEN in text]
    assert holding == [".coordination/local.env"]
    assert (fresh.path / ".coordination/local.env").stat().st_mode & 0o777 == 0o600
    status = fresh.git("status", "--porcelain", "--untracked-files=all", "--ignored").stdout
    assert "!! .coordination/" in status


def test_it_changes_nothing_the_second_time(fresh: Clone, run: Run) -> None:
    arguments = ("--tool", "claude", "--tool", "codex", "--tool", "cursor")
    run(fresh.path, "init", *arguments)
    before = everything(fresh)
    out, _ = run(fresh.path, "init", *arguments)
    assert {line.split()[0] for line in out.splitlines() if not line.startswith("Next:")} == {"unchanged"}
    run(fresh.path, "upgrade")
    assert everything(fresh) == before


def test_it_keeps_the_users_content(fresh: Clone, run: Run) -> None:
    fresh.write("CLAUDE.md", "# Mine\n")
    fresh.write(".mcp.json", '{\n\t"mcpServers": {"db": {"command": "db-mcp"}}\n}\n')
    fresh.write(".claude/settings.json", '{"model": "opus", "hooks": {"Stop": [{"hooks": []}]}}')
    fresh.write(".codex/config.toml", '# mine\nmodel = "o9"\n')
    fresh.write(".gitignore", "node_modules\n")
    run(fresh.path, "init", "--tool", "claude", "--tool", "codex")
    files = everything(fresh)
    assert files["CLAUDE.md"].startswith("# Mine\n\n<!-- coord:begin -->")
    assert json.loads(files[".mcp.json"])["mcpServers"]["db"] == {"command": "db-mcp"}
    assert "\n\t" in files[".mcp.json"]
    settings = json.loads(files[".claude/settings.json"])
    assert (settings["model"], settings["hooks"]["Stop"]) == ("opus", [{"hooks": []}])
    assert files[".codex/config.toml"].startswith('# mine\nmodel = "o9"\n')
    assert files[".gitignore"].startswith("node_modules\n")


def test_it_refuses_malformed_files_and_leaves_them_alone(fresh: Clone, run: Run, capsys) -> None:
    fresh.write(".mcp.json", '{"mcpServers": {')
    fresh.write(".codex/config.toml", "[broken")
    with pytest.raises(SystemExit) as exit_code:
        run(fresh.path, "init", "--tool", "claude", "--tool", "codex")
    assert exit_code.value.code == 1
    assert (fresh.path / ".mcp.json").read_text() == '{"mcpServers": {'
    assert (fresh.path / ".codex/config.toml").read_text() == "[broken"
    assert (fresh.path / "CLAUDE.md").exists()


def test_it_shows_a_dry_run_and_writes_nothing(fresh: Clone, run: Run) -> None:
    before = everything(fresh)
    out, _ = run(fresh.path, "init", "--dry-run")
    assert everything(fresh) == before
    assert "+++ b/.mcp.json" in out
    assert '+      "command": "coord-mcp"' in out
    assert "+COORD_AUTH_TOKEN=********" in out
    assert TOKEN not in out


def test_it_rewrites_local_env_in_place(fresh: Clone, run: Run, service: FakeService) -> None:
    path = fresh.write(
        ".coordination/local.env",
        "# mine\nMY_OWN=1\nexport COORD_AUTH_TOKEN='coordt_real'\n\n"
        "COORD_API_URL=http://127.0.0.1:8080\n# end",
    )
    path.chmod(0o644)
    run(fresh.path)
    text = path.read_text()
    assert text.startswith("# mine\nMY_OWN=1\nexport COORD_AUTH_TOKEN='coordt_real'\n\n")
    assert f"COORD_API_URL={service.url}\n# end\n" in text
    assert path.stat().st_mode & 0o777 == 0o600
    run(fresh.path, "upgrade")
    assert path.read_text() == text


def test_it_replaces_a_real_token_only_when_forced_and_never_by_a_placeholder(
    fresh: Clone, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fresh.write(".coordination/local.env", "COORD_AUTH_TOKEN=coordt_real\n")
    _, err = run(fresh.path)
    assert "COORD_AUTH_TOKEN=coordt_real\n" in path.read_text()
    assert "local.env keeps its token; `coord init --force --no-owners` takes that of COORD_AUTH_TOKEN" in err
    monkeypatch.delenv("COORD_AUTH_TOKEN")
    _, err = run(fresh.path, "init", "--force")
    assert "keeps its token" not in err
    assert "COORD_AUTH_TOKEN=coordt_real\n" in path.read_text()
    monkeypatch.setenv("COORD_AUTH_TOKEN", TOKEN)
    run(fresh.path, "init", "--force")
    assert f"COORD_AUTH_TOKEN={TOKEN}\n" in path.read_text()


def test_it_takes_the_local_services_token(
    fresh: Clone, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("COORD_AUTH_TOKEN")
    _, err = run(fresh.path, "init", "--mode", "local", "--service-url", "http://127.0.0.1:9")
    token = tmp_path / "coord-home/token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert (
        f"COORD_AUTH_TOKEN={token.read_text().strip()}\n"
        in (fresh.path / ".coordination/local.env").read_text()
    )
    assert "run `coord start --port 9`" in err


def test_it_takes_real_tokens_out_of_tracked_files_and_says_so(fresh: Clone, run: Run) -> None:
    entry = {"command": "coord-mcp", "args": [], "env": {"COORD_AUTH_TOKEN": "leaked-token"}}
    fresh.write(".mcp.json", json.dumps({"mcpServers": {"coord": entry}}))
    _, err = run(fresh.path)
    assert "leaked-token" not in (fresh.path / ".mcp.json").read_text()
    assert "warning: .mcp.json held a real token" in err


@pytest.mark.parametrize(
    ("remote", "repo"),
    [
        ("git@github.com:acme/app.git", "acme/app"),
        ("https://example.org/group/sub/app.git/", "sub/app"),
        ("ssh://git@example.org:2222/acme/app", "acme/app"),
        ("/srv/git/acme/app.git", "acme/app"),
        ("", "app"),
    ],
)
def test_it_names_the_repository(fresh: Clone, run: Run, remote: str, repo: str) -> None:
    if remote:
        fresh.git("remote", "add", "origin", remote)
    out, _ = run(fresh.path, "init", "--json")
    assert json.loads(out)["repo_id"] == repo


def test_it_shares_the_local_files_of_linked_worktrees(fresh: Clone, run: Run) -> None:
    fresh.git("worktree", "add", "-q", "../feature", "-b", "feature")
    feature = fresh.path.parent / "feature"
    run(feature)
    assert not (feature / ".coordination").exists()
    assert (fresh.path / ".coordination/local.env").exists()
    assert (feature / ".mcp.json").exists()
    assert not (fresh.path / ".mcp.json").exists()
    assert (fresh.path / ".git/hooks/pre-push").exists()
    run(feature, "upgrade")
    assert not (feature / ".coordination").exists()


def test_it_wires_a_directory_inside_the_repository(fresh: Clone, run: Run) -> None:
    fresh.commit("apps/web/index.ts")
    run(fresh.path, "init", "--root", "apps/web")
    assert (fresh.path / "apps/web/.coordination/local.env").exists()
    assert (fresh.path / "apps/web/.mcp.json").exists()
    assert not (fresh.path / "apps/web/.git").exists()
    assert (fresh.path / ".git/hooks/pre-push").exists()
    assert fresh.git("status", "--porcelain", "--untracked-files=all").stdout.count(".coordination") == 0
    out, _ = run(fresh.path / "apps/web", "upgrade")
    assert {line.split()[0] for line in out.splitlines()} == {"unchanged"}


def test_it_says_what_is_wrong_with_the_place(tmp_path: Path, fresh: Clone, run: Run) -> None:
    for place, arguments, text in (
        (tmp_path, (), "is not in a git work tree"),
        (fresh.path, ("--root", "nowhere"), "--root nowhere: no such directory"),
        (fresh.path, ("--mode", "remote"), "--mode remote needs --service-url"),
        (fresh.path, ("--mode", "remote", "--service-url", "ftp://x"), "give an http or https URL"),
    ):
        with pytest.raises(CommandError, match=text) as refused:
            run(place, "init", *arguments)
        assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="not initialised; run `coord init` first"):
        run(fresh.path, "upgrade")


def test_it_keeps_the_users_settings(fresh: Clone, run: Run) -> None:
    run(fresh.path)
    path = fresh.path / ".coordination/config.toml"
    path.write_text(path.read_text().replace('"warn"', '"block"') + "# mine\n")
    owners = fresh.path / ".coordination/owners.yaml"
    owners.write_text("areas: {}\n")
    run(fresh.path, "init", "--tool", "codex")
    config = tomllib.loads(path.read_text())
    assert (config["on_unreachable"], config["tools"]) == ("block", ["codex"])
    assert "# mine" in path.read_text()
    assert owners.read_text() == "areas: {}\n"
    run(fresh.path, "init", "--force")
    assert "shared-root" in owners.read_text()


def test_it_leaves_out_what_is_not_wanted(fresh: Clone, run: Run) -> None:
    run(fresh.path, "init", "--no-hook", "--no-owners")
    assert not (fresh.path / ".git/hooks/pre-push").exists()
    assert not (fresh.path / ".coordination/hooks").exists()
    assert not (fresh.path / ".coordination/owners.yaml").exists()


def test_it_warns_about_the_branch_and_the_index(fresh: Clone, run: Run) -> None:
    fresh.git("update-ref", "refs/remotes/origin/main", "HEAD")
    fresh.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    fresh.git("checkout", "-qb", "feature")
    fresh.write("a.py")
    fresh.git("add", "a.py")
    _, err = run(fresh.path)
    assert "tracked files are written on branch feature, not on main" in err
    assert "the index has staged changes" in err


def test_it_starts_without_a_database(fresh: Clone, service: FakeService) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "init", "--yes", "--json", "--mode", "remote",
         "--service-url", service.url],
        cwd=fresh.path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COORD_DATABASE_PATH": "/nowhere/at/all.db"},
    )  # fmt: skip
    assert json.loads(done.stdout)["tools"] == ["claude"]
