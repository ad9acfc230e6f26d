"""The tool set apart from stdio: one server, a bridge per caller."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from mcp.client.client import Client

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.environment import Settings
from coordsite.bridge.notices import Notices
from coordsite.bridge.server import build_server
from coordsite.bridge.service import Service

from .fake_service import FakeService


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_it_serves_each_caller_through_its_own_bridge(fake: FakeService, mode: str) -> None:
    asked: list[Any] = []

    def bridge_of(name: str) -> Bridge:
        notices = Notices()
        settings = Settings(api_url="http://coord.test", user=name, token=f"token-{name}")
        transport = httpx.MockTransport(fake.handle)
        return Bridge(Service(lambda: settings, f"session-{name}", notices, transport=transport), notices)

    bridges = [bridge_of("alice"), bridge_of("bob")]

    async def bridge_for(context: Any) -> Bridge:
        asked.append(context)
        return bridges[len(asked) - 1]

    async with Client(build_server(bridge_for, version="1.2"), mode=mode) as client:
        first = await client.call_tool("claim_files", {"patterns": ["a.py"]})
        second = await client.call_tool("claim_files", {"patterns": ["a.py"]})
    assert first.structured_content["claim_ids"]
    assert second.structured_content["conflicts"][0]["conflicting_claim"]["engineer"] == "alice"
    assert [call.headers["authorization"] for call in fake.seen] == ["Bearer token-alice", "Bearer token-bob"]
    assert [call.headers["x-coord-session"] for call in fake.seen] == ["session-alice", "session-bob"]


async def test_it_names_its_version(bridge: Bridge) -> None:
    async def bridge_for(_: Any) -> Bridge:
        return bridge

    async with Client(build_server(bridge_for, version="1.2"), mode="legacy") as client:
        assert (client.server_info.name, client.server_info.version) == ("coordination", "1.2")
