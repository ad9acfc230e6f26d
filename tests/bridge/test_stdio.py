"""Real round trips: the official client, a real process, both protocol eras."""

from __future__ import annotations

import json
import re
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from mcp.shared.exceptions import MCPError

from .fake_service import LATER, TOKEN, FakeService
from .test_tool_list import GOLDEN

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@ERAS
@pytest.mark.system
async def test_it_claims_is_refused_extends_and_releases(connect, live: FakeService, mode: str) -> None:
    live.hold("b.py", repo="org/app")
    async with connect(mode) as client:
        granted = (
            await client.call_tool("claim_files", {"engineer": "alice", "patterns": ["a.py"]})
        ).structured_content
        refused = (
            await client.call_tool("claim_files", {"engineer": "alice", "patterns": ["b.py"]})
        ).structured_content
        extended = (
            await client.call_tool("extend_claim", {"claim_ids": granted["claim_ids"]})
        ).structured_content
        released = (
            await client.call_tool("release_claims", {"claim_ids": granted["claim_ids"]})
        ).structured_content

    assert granted["claims"][0]["pattern"] == "a.py"
    assert granted["claims"][0]["fence"] > 0
    assert refused["claim_ids"] == []
    assert refused["conflicts"][0]["conflicting_claim"]["engineer"] == "bob"
    assert extended == {
        "ok": True,
        "extended": granted["claim_ids"],
        "expires_at": LATER,
    }
    assert released == {"released": 1}
    assert [claim["pattern"] for claim in live.claims.values()] == ["b.py"]


@ERAS
@pytest.mark.system
async def test_it_speaks_the_era_of_its_client(connect, mode: str) -> None:
    async with connect(mode) as client:
        assert client.server_info.name == "coordination"
        assert client.protocol_version == {"auto": "2026-07-28", "legacy": "2025-11-25"}[mode]
        assert client.instructions
        assert len(client.instructions) <= 600


@ERAS
@pytest.mark.system
async def test_it_sends_text_and_structure_alike(connect, mode: str) -> None:
    async with connect(mode) as client:
        result = await client.call_tool("list_claims", {})
    assert json.loads(result.content[0].text) == result.structured_content == {"claims": [], "count": 0}
    assert not result.is_error


@ERAS
@pytest.mark.system
async def test_it_offers_the_golden_tools(connect, mode: str) -> None:
    async with connect(mode) as client:
        listed = await client.list_tools()
    assert [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools
    ] == json.loads(GOLDEN.read_text())


@ERAS
@pytest.mark.system
async def test_it_waits_reports_and_gets_the_file(connect, live: FakeService, mode: str) -> None:
    held = live.hold("a.py", repo="org/app")
    told: list[str] = []
    reported = anyio.Event()

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(f"{message} of {total}")
        reported.set()

    async with connect(mode) as client, anyio.create_task_group() as group:

        async def release() -> None:
            await reported.wait()
            await anyio.to_thread.run_sync(live.release, held)

        group.start_soon(release)
        given = {"engineer": "alice", "patterns": ["a.py"], "wait_seconds": 300}
        result = await client.call_tool("claim_files", given, progress_callback=progress)
    assert result.structured_content["claims"][0]["pattern"] == "a.py"
    assert told[0] == "position 1, held by bob, about 30 s of 300.0"
    assert live.held_by(session_of(live)) == ["a.py"]


@ERAS
@pytest.mark.system
async def test_a_cancelled_call_gives_its_place_up(connect, live: FakeService, mode: str) -> None:
    held = live.hold("a.py", repo="org/app")
    async with connect(mode) as client:
        async with anyio.create_task_group() as group:

            async def claim() -> None:
                given = {"engineer": "alice", "patterns": ["a.py"], "wait_seconds": 600}
                await client.call_tool("claim_files", given)

            group.start_soon(claim)
            await anyio.to_thread.run_sync(live.wait_for, lambda: bool(live.calls("GET", "/requests/queue")))
            group.cancel_scope.cancel()
        await anyio.to_thread.run_sync(live.wait_for, lambda: states(live) == ["cancelled"])
        live.release(held)
        assert (await client.call_tool("list_claims", {})).structured_content["count"] == 0


@pytest.mark.system
async def test_a_client_that_goes_away_gives_its_place_up(connect, live: FakeService) -> None:
    live.hold("a.py", repo="org/app")
    async with anyio.create_task_group() as group:

        async def claim() -> None:
            async with connect() as client:
                given = {"engineer": "alice", "patterns": ["a.py"], "wait_seconds": 600}
                await client.call_tool("claim_files", given)

        group.start_soon(claim)
        await anyio.to_thread.run_sync(live.wait_for, lambda: bool(live.calls("GET", "/requests/queue")))
        group.cancel_scope.cancel()
    assert states(live) == ["cancelled"]


@pytest.mark.system
async def test_a_dropped_reply_makes_one_claim(connect, live: FakeService) -> None:
    live.fail("POST", "/claims", "drop")
    async with connect() as client:
        given = {"engineer": "alice", "patterns": ["a.py"]}
        result = await client.call_tool("claim_files", given)
    first, second = live.calls("POST", "/claims")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert list(live.claims) == result.structured_content["claim_ids"]


@pytest.mark.system
async def test_a_service_that_is_down_is_said(connect, live: FakeService) -> None:
    async with connect(COORD_API_URL="http://127.0.0.1:9") as client:
        result = await client.call_tool("claim_files", {"engineer": "alice", "patterns": ["a.py"]})
    assert not result.is_error
    assert result.structured_content["code"] == "unreachable"
    assert "`coord start --port 9` starts the service" in result.structured_content["next"]
    assert result.structured_content["claim_ids"] == []


@pytest.mark.system
async def test_it_uses_placeholders_of_wiring_as_unset(connect, live: FakeService, tmp_path: Path) -> None:
    live.token = TOKEN
    (tmp_path / ".coordination").mkdir()
    env = tmp_path / ".coordination" / "local.env"
    url = live.url  # type: ignore[attr-defined]
    env.write_text(f"COORD_API_URL={url}\nCOORD_AUTH_TOKEN={TOKEN}\nCOORD_REPO_ID=org/one\n")
    placeholders = {
        "COORD_API_URL": "http://127.0.0.1:8080",
        "COORD_AUTH_TOKEN": "set-me",
        "COORD_REPO_ID": "example-org/example-repo",
    }
    async with connect(**placeholders) as client:
        await client.call_tool("claim_files", {"engineer": "alice", "patterns": ["a.py"]})
        env.write_text(f"COORD_API_URL={url}\nCOORD_AUTH_TOKEN=stale\nCOORD_REPO_ID=org/one\n")
        refused = await client.call_tool("claim_files", {"engineer": "alice", "patterns": ["b.py"]})
        env.write_text(f"COORD_API_URL={url}\nCOORD_AUTH_TOKEN={TOKEN}\nCOORD_REPO_ID=org/two\n")
        await client.call_tool("claim_files", {"engineer": "alice", "patterns": ["c.py"]})
    assert refused.structured_content["detail"] == "Invalid bearer token"
    assert [(row["pattern"], row["repo"]) for row in live.claims.values()] == [
        ("a.py", "org/one"),
        ("c.py", "org/two"),
    ]


@pytest.mark.system
async def test_it_keeps_its_session_and_the_given_one(connect, live: FakeService) -> None:
    for given in ("my-session.1", "  "):
        async with connect(COORD_SESSION_ID=given) as client:
            await client.call_tool("list_claims", {})
            await client.call_tool("release_session", {})
            await client.call_tool("claim_files", {"engineer": "alice", "patterns": ["a.py"]})
    sessions = [call.headers["x-coord-session"] for call in live.seen]
    assert sessions[:3] == ["my-session.1"] * 3
    assert len(set(sessions[3:])) == 1
    assert re.fullmatch("[0-9a-f]{16}", sessions[3])


@pytest.mark.system
async def test_it_beats_while_its_agent_is_quiet(connect, live: FakeService) -> None:
    live.lost = [{"claim_id": "c1", "pattern": "a.py", "reason": "expired", "held_now_by": "bob"}]
    async with connect(COORD_HEARTBEAT_SEC="0.05") as client:
        await anyio.to_thread.run_sync(live.wait_for, lambda: len(live.calls("POST", "/sessions")) >= 3)
        first = await client.call_tool("list_claims", {})
        second = await client.call_tool("list_claims", {})
    assert first.structured_content["coord_notice"].startswith(
        "Lease lost: a.py (expired); bob holds it now."
    )
    assert "coord_notice" not in second.structured_content


@ERAS
@pytest.mark.system
async def test_an_unknown_tool_is_a_protocol_error(connect, mode: str) -> None:
    async with connect(mode) as client:
        with pytest.raises(MCPError, match="Unknown tool: steal_files"):
            await client.call_tool("steal_files", {})
        assert not (await client.call_tool("list_claims", {})).is_error


def session_of(live: FakeService) -> str:
    return live.calls("POST", "/claims")[0].headers["x-coord-session"]


def states(live: FakeService) -> list[str]:
    return [ticket["state"] for ticket in live.tickets.values()]
