"""`coord mcp install`: the entry and nothing else, in the tools that are in use."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.kit.conftest import Clone
from tests.kit.running import Runner
from tests.kit.service import FakeService


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools installed on this machine are no part of the answer."""
    monkeypatch.setattr("coordsite.kit.mcpinstall.shutil.which", lambda program: None)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def test_it_finds_the_tools_in_use(make_clone, coord: Runner) -> None:
    clone = make_clone("app")
    done = coord(clone.path, "mcp", "install")
    assert (done.code, done.err) == (1, "coord: No tool is in use here; name one: --tool claude-code\n")
    (clone.path / ".cursor").mkdir()
    clone.write("CLAUDE.md")
    done = coord(clone.path / ".cursor", "mcp", "install", "--json")
    assert done.code == 0
    assert [Path(row["path"]).name for row in done.json["changes"]] == [".mcp.json", "mcp.json"]
    assert not (clone.path / ".codex").exists()
    assert not (clone.path / ".coordination").exists()
    entry = json.loads((clone.path / ".mcp.json").read_text())["mcpServers"]["coord"]
    assert (entry["command"], entry["env"]["COORD_AUTH_TOKEN"]) == ("coord-mcp", "set-me")


def test_it_changes_nothing_the_second_time(make_clone, coord: Runner) -> None:
    clone = make_clone("app")
    clone.write(".codex/config.toml", '# mine\nmodel = "o9"\n')
    tools = ("--tool", "claude-code", "--tool", "codex", "--tool", "cursor")
    assert "updated    " in coord(clone.path, "mcp", "install", *tools).out
    text = (clone.path / ".codex/config.toml").read_text()
    assert text.startswith('# mine\nmodel = "o9"\n')
    assert tomllib.loads(text)["mcp_servers"]["coord"]["command"] == "coord-mcp"
    done = coord(clone.path, "mcp", "install", *tools)
    assert {line.split()[0] for line in done.out.splitlines()} == {"unchanged"}


def test_it_gives_claude_desktop_the_real_settings_in_a_private_file(
    clone: Clone, coord: Runner, service: FakeService, tmp_path: Path
) -> None:
    path = tmp_path / "home/.config/Claude/claude_desktop_config.json"
    done = coord(clone.path, "mcp", "install", "--tool", "claude-desktop", "--dry-run")
    assert not path.exists()
    assert "token-shared" not in done.out
    assert '"COORD_AUTH_TOKEN": "********"' in done.out
    assert coord(clone.path, "mcp", "install", "--tool", "claude-desktop").code == 0
    entry = json.loads(path.read_text())["mcpServers"]["coord"]
    assert entry["env"] == {
        "COORD_API_URL": service.url,
        "COORD_AUTH_TOKEN": "token-shared",
        "COORD_REPO_ID": "acme/app",
    }
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["{", "[]", '{"mcpServers": []}', '{"mcpServers": {"coord": 1}}'])
def test_it_refuses_what_it_cannot_understand(make_clone, coord: Runner, text: str) -> None:
    clone = make_clone("app")
    path = clone.write(".mcp.json", text)
    done = coord(clone.path, "mcp", "install", "--tool", "claude-code", "--tool", "cursor")
    assert (done.code, done.out.startswith("refused ")) == (1, True)
    assert path.read_text() == text
    assert (clone.path / ".cursor/mcp.json").exists()


def test_it_takes_a_root_and_refuses_one_that_is_none(make_clone, coord: Runner, tmp_path: Path) -> None:
    clone = make_clone("app")
    clone.write("apps/web/index.ts")
    assert (
        coord(tmp_path, "mcp", "install", "--tool", "cursor", "--root", str(clone.path / "apps/web")).code
        == 0
    )
    assert (clone.path / "apps/web/.cursor/mcp.json").exists()
    done = coord(tmp_path, "mcp", "install", "--all", "--root", "nowhere")
    assert (done.code, done.err) == (1, "coord: --root nowhere: no such directory\n")
