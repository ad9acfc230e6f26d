"""A waiting tool call over stdio: it tells where it stands, finds its own place, and gives it up."""

from __future__ import annotations

import anyio
import pytest

from .test_main_job import REPO, agents

FILE = "waited/for.py"


@pytest.fixture
def tree(tmp_path):
    return tmp_path


async def test_a_cancelled_call_gives_its_place_up(service, http, tree):
    told: list[str] = []
    standing = anyio.Event()

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(str(message))
        standing.set()

    async with agents(service, tree, "alice", "bob") as (alice, bob):
        await alice.claim(FILE)
        async with anyio.create_task_group() as group:
            given = {"engineer": "bob", "patterns": [FILE], "wait_seconds": 300}
            group.start_soon(bob.client.call_tool, "claim_files", given, None, progress)
            with anyio.fail_after(60):
                await standing.wait()
            (mine,) = (await bob.call("my_requests", queued=True))["requests"]
            assert (mine["requester_engineer"], mine["position"]) == ("bob", 1)
            assert (await alice.call("my_requests", queued=True))["count"] == 0
            group.cancel_scope.cancel()
        assert told[0].startswith("position 1, held by alice")
        line = {"queued": "true", "requester": "bob", "repo": REPO}
        with anyio.fail_after(60):
            while http.get("/requests", params=line).json()["count"]:
                await anyio.sleep(0.05)
        await alice.call("release_session")
        assert (await alice.claim(FILE))["claim_ids"]
        rows = http.get("/claims", params={"engineer": "bob", "active_only": "false", "repo": REPO}).json()
        assert rows["claims"] == []


async def test_a_release_by_another_client_wakes_the_call(service, tree):
    """Far within a slice of 25 s: the wait is one call to the agent, whatever the service is asked."""
    place = "waited/for/too.py"
    told: list[tuple[float, float | None, str | None]] = []
    standing = anyio.Event()

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))
        standing.set()

    async with agents(service, tree, "carol", "dave") as (carol, dave):
        held = await carol.claim(place)
        async with anyio.create_task_group() as group:

            async def release() -> None:
                await standing.wait()
                assert await carol.call("release_claims", claim_ids=held["claim_ids"]) == {"released": 1}

            group.start_soon(release)
            with anyio.fail_after(20):
                given = {"engineer": "dave", "patterns": [place], "wait_seconds": 300}
                result = await dave.client.call_tool("claim_files", given, None, progress)
        granted = result.structured_content
        assert granted["claims"][0]["pattern"] == place
        assert granted["claims"][0]["fence"] > held["claims"][0]["fence"]
        assert (told[0][1], str(told[0][2])[:10]) == (300.0, "position 1")
        assert (await dave.call("my_requests", queued=True))["count"] == 0
        refused = await carol.claim(place)
        assert refused["conflicts"][0]["conflicting_claim"]["engineer"] == "dave"
