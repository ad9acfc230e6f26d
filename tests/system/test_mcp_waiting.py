"""A waiting tool call over stdio: it tells where it stands, finds its own place, and gives it up."""

from __future__ import annotations

import anyio
import pytest

from .test_main_job import agents

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
        with anyio.fail_after(60):
            while http.get("/requests", params={"queued": "true", "requester": "bob"}).json()["count"]:
                await anyio.sleep(0.05)
        await alice.call("release_session")
        assert (await alice.claim(FILE))["claim_ids"]
        rows = http.get("/claims", params={"engineer": "bob", "active_only": "false"}).json()
        assert rows["claims"] == []
