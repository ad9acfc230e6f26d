"""Real round trips: the official client, a real process, both protocol eras."""

from __future__ import annotations

import json

import pytest

from .fake_service import FakeService

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
        "extended": [{"id": granted["claim_ids"][0], "expires_at": "2099-01-01T00:00:00Z"}],
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
