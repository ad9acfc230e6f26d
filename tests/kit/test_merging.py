"""Coord's part goes into a user's file; everything else of it stays."""

from __future__ import annotations

import json
import tomllib

import pytest

from coordsite.kit import merging
from coordsite.kit.merging import Refused
from coordsite.kit.rendering import render

SERVER = json.loads(render("mcp-server.json"))
HOOKS = json.loads(render("claude-hooks.json"))


def server(text: str | None) -> str:
    return merging.merge_json(text, merging.mcp_server(SERVER))


def hooks(text: str | None) -> str:
    return merging.merge_json(text, merging.tool_hooks(HOOKS))


def codex(text: str | None) -> str:
    return merging.merge_toml(text, merging.codex_server(SERVER))


def test_it_appends_the_block_and_replaces_it() -> None:
    first = merging.merge_block("# App\n\nText.\n", "one")
    assert first.startswith("# App\n\nText.\n\n<!-- coord:begin -->\n")
    assert first.endswith("one\n<!-- coord:end -->\n")
    more = first + "\nAfter.\n"
    second = merging.merge_block(more, "two")
    assert second == more.replace("one\n<!--", "two\n<!--")
    assert merging.merge_block(second, "two") == second


def test_it_recognises_either_style_of_markers() -> None:
    text = "a\n# coord:begin\nold\n# coord:end\nb\n"
    assert merging.merge_block(text, "new") == "a\n" + merging.block("new", "markdown") + "b\n"


def test_it_keeps_windows_line_endings() -> None:
    text = merging.merge_block("a\r\nb\r\n", "one\ntwo")
    assert "\n" not in text.replace("\r\n", "")
    assert merging.merge_block(text, "one\ntwo") == text


@pytest.mark.parametrize(
    "text",
    [
        "<!-- coord:begin -->\nno end\n",
        "<!-- coord:begin -->\n<!-- coord:end -->\n<!-- coord:begin -->\n<!-- coord:end -->\n",
    ],
)
def test_it_refuses_broken_blocks(text: str) -> None:
    with pytest.raises(Refused, match="broken coord block"):
        merging.merge_block(text, "x")


def test_it_puts_the_front_matter_first() -> None:
    front = render("cursor-front-matter.mdc")
    fresh = merging.merge_rule(None, "body", front)
    assert fresh.startswith("---\ndescription:")
    assert merging.merge_rule(fresh, "body", front) == fresh
    own = "---\ndescription: mine\n---\nMy rule.\n"
    merged = merging.merge_rule(own, "body", front)
    assert merged.startswith(own)
    assert merging.merge_rule(merged, "body", front) == merged
    old = "<!-- coord:begin -->\n---\ndescription: old\n---\nold\n<!-- coord:end -->\n\nMine.\n"
    mended = merging.merge_rule(old, "body", front)
    assert mended.startswith(front)
    assert "Mine." in mended
    assert "old" not in mended
    assert merging.merge_rule(mended, "body", front) == mended


def test_it_ignores_the_machine_local_directory() -> None:
    assert "/.coordination/" in merging.merge_gitignore(None)
    once = merging.merge_gitignore("*.log")
    assert once.startswith("*.log\n\n# coord:begin\n")
    assert merging.merge_gitignore(once) == once
    assert merging.merge_gitignore("/.coordination/\n") == "/.coordination/\n"


def test_it_adds_the_server_beside_others() -> None:
    text = '{\n    "mcpServers": {\n        "other": {"command": "x"}\n    },\n    "mine": "é"\n}\n'
    merged = server(text)
    data = json.loads(merged)
    assert data["mcpServers"]["other"] == {"command": "x"}
    assert data["mcpServers"]["coord"] == SERVER
    assert data["mine"] == "é"
    assert '    "mine": "é"' in merged
    assert server(merged) == merged


def test_it_takes_a_real_token_out_of_a_tracked_file() -> None:
    own = {"command": "/opt/coord-mcp", "env": {"COORD_AUTH_TOKEN": "s3cret", "X": "1"}}
    entry = json.loads(server(json.dumps({"mcpServers": {"coord": own}})))["mcpServers"]["coord"]
    assert entry["command"] == "/opt/coord-mcp"
    assert entry["env"]["COORD_AUTH_TOKEN"] == "set-me"
    assert entry["env"]["X"] == "1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"mcpServers": {', "not valid JSON"),
        ("// comment\n{}", "not valid JSON"),
        ("[]", "does not hold a JSON object"),
        ('{"mcpServers": []}', "`mcpServers` that is not an object"),
        ('{"mcpServers": {"coord": 1}}', "`coord` that is not an object"),
        ('{"a": 1, "a": 2}', "one key twice"),
    ],
)
def test_it_refuses_json_that_it_does_not_understand(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        server(text)


def test_it_adds_hooks_beside_foreign_ones() -> None:
    foreign = {
        "permissions": {"allow": ["Bash"]},
        "hooks": {
            "PreToolUse": [
                {"matcher": "Bash", "hooks": [{"type": "command", "command": "lint"}]},
                {
                    "matcher": "Edit",
                    "hooks": [
                        {"type": "command", "command": "mine"},
                        {"type": "command", "command": "coord-hook claude"},
                    ],
                },
            ],
            "Notification": [{"hooks": [{"type": "command", "command": "bell"}]}],
        },
    }
    merged = json.loads(hooks(json.dumps(foreign)))
    assert merged["permissions"] == {"allow": ["Bash"]}
    assert merged["hooks"]["Notification"] == foreign["hooks"]["Notification"]
    before = merged["hooks"]["PreToolUse"]
    assert before[0] == foreign["hooks"]["PreToolUse"][0]
    assert {"matcher": "Edit", "hooks": [{"type": "command", "command": "mine"}]} in before
    assert before.count(HOOKS["PreToolUse"][0]) == 1
    once = hooks(json.dumps(foreign, indent=2) + "\n")
    assert hooks(once) == once


def test_it_takes_out_its_hooks_of_events_that_are_not_used_any_more() -> None:
    text = json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "coord-hook claude"}]}]}})
    assert "Stop" not in json.loads(hooks(text))["hooks"]


def test_it_refuses_hooks_of_another_shape() -> None:
    with pytest.raises(Refused, match=r"`hooks\.PreToolUse` that is not a list"):
        hooks('{"hooks": {"PreToolUse": {}}}')


def test_it_adds_the_server_to_codex_and_keeps_the_rest() -> None:
    text = (
        '# mine\nmodel = "o9"  # best\n\n[mcp_servers.other]\ncommand = "x"\n\n'
        '[profiles.fast]\nmodel = "o1"\n'
    )
    merged = codex(text)
    assert merged.startswith('# mine\nmodel = "o9"  # best\n')
    data = tomllib.loads(merged)
    assert data["mcp_servers"]["other"] == {"command": "x"}
    assert data["profiles"] == {"fast": {"model": "o1"}}
    assert data["mcp_servers"]["coord"]["env"] == SERVER["env"]
    assert data["mcp_servers"]["coord"]["command"] == "coord-mcp"
    assert codex(merged) == merged
    assert tomllib.loads(codex(None))["mcp_servers"]["coord"]["enabled"] is True


@pytest.mark.parametrize("text", ["[mcp_servers", "mcp_servers = 1\n", "[mcp_servers]\ncoord = 2\n"])
def test_it_refuses_toml_that_it_does_not_understand(text: str) -> None:
    with pytest.raises(Refused):
        codex(text)


def test_it_keeps_the_text_for_agents_short() -> None:
    text = merging.block(render("agents.md"), "markdown")
    assert len(text.splitlines()) <= 12
