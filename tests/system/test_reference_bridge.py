"""The reference's own ``coord-mcp`` against this service: every tool, driven by the official client."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from .reference import reference
from .service import Service, clean_environ

# Making the environment once takes as long as the package index does.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long(30)]
TOOLS = {
    "list_claims",
    "check_conflicts",
    "claim_files",
    "release_claims",
    "pending_requests",
    "request_release",
    "respond_to_request",
    "wait_for_request",
    "my_requests",
    "release_session",
    "cancel_queue_request",
}
Agent = Callable[[str], AbstractAsyncContextManager[Client]]


@pytest.fixture
def repo() -> str:
    return f"org/{uuid.uuid4().hex[:8]}"


@pytest.fixture
def agent(service: Service, repo: str, tmp_path: Path) -> Agent:
    """A client on a bridge process of the reference: ``async with agent("alice") as alice``."""

    @asynccontextmanager
    async def open_(name: str) -> AsyncIterator[Client]:
        variables = service.client_variables(
            COORD_REPO_ID=repo, COORD_USER=name, COORD_SESSION_ID=f"{name}-{repo[4:]}"
        )
        server = StdioServerParameters(
            command=str(reference() / "coord-mcp"), args=[], env=clean_environ(**variables), cwd=tmp_path
        )
        async with Client(server, mode="legacy") as client:
            yield client

    return open_


async def ask(client: Client, tool: str, **given: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, given)
    assert not result.is_error, result.content
    answer: dict[str, Any] = result.structured_content or {}
    return answer


async def test_it_has_the_tools_that_are_tried_here(agent: Agent) -> None:
    async with agent("alice") as alice:
        assert {tool.name for tool in (await alice.list_tools()).tools} == TOOLS


async def test_it_claims_checks_lists_and_releases(agent: Agent, repo: str) -> None:
    async with agent("alice") as alice, agent("bob") as bob:
        granted = await ask(alice, "claim_files", engineer="alice", patterns=["src/**"], description="login")
        refused = await ask(bob, "claim_files", engineer="bob", patterns=["src/a.py", "docs/x.md"])
        checked = await ask(bob, "check_conflicts", files=["src/a.py"], engineer="bob")
        listed = await ask(bob, "list_claims", engineer="alice", module="src")
        foreign = await ask(bob, "release_claims", claim_ids=granted["claim_ids"], engineer="bob")
        released = await ask(alice, "release_claims", claim_ids=granted["claim_ids"], engineer="alice")
        after = await ask(bob, "claim_files", engineer="bob", patterns=["src/a.py"], urgency="high")
        shared = await ask(alice, "claim_files", engineer="alice", patterns=[], shared_files=["CHANGES.md"])
        ended = await ask(bob, "release_session")
        history = await ask(alice, "list_claims", active_only=False, engineer="bob", module="src/a.py")
    [conflict] = refused["conflicts"]
    assert refused["claim_ids"] == []
    assert conflict["your_pattern"] == "src/a.py"
    assert conflict["conflicting_claim"]["engineer"] == "alice"
    assert conflict["conflicting_claim"]["description"] == "login"
    assert refused["options"]
    # The reference's check names no repository: it asks about the one without an id.
    assert checked["has_conflicts"] is False
    mine = [row for row in listed["claims"] if row["repo"] == repo]
    assert [row["pattern"] for row in mine] == ["src/**"]
    assert (foreign, released, ended) == ({"released": 0}, {"released": 1}, {"released": 1})
    assert len(after["claim_ids"]) == len(shared["claim_ids"]) == 1
    assert [row["end_reason"] for row in history["claims"] if row["repo"] == repo] == ["session"]


async def test_it_claims_symbols_side_by_side(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "m.rb").write_text("# no source that the reference parses\n")
    async with agent("alice") as alice, agent("bob") as bob:
        first = await ask(
            alice, "claim_files", engineer="alice", patterns=["m.rb"], symbols={"m.rb": ["K::a"]}
        )
        second = await ask(bob, "claim_files", engineer="bob", patterns=["m.rb"], symbols={"m.rb": ["K::b"]})
        third = await ask(bob, "claim_files", engineer="bob", patterns=["m.rb"], symbols={"m.rb": ["K"]})
    assert len(first["claim_ids"]) == len(second["claim_ids"]) == 1
    assert third["conflicts"][0]["symbol_overlap"] == [{"file": "m.rb", "symbols": ["K"]}]


async def test_it_negotiates(agent: Agent) -> None:
    async with agent("alice") as alice, agent("bob") as bob:
        held = await ask(alice, "claim_files", engineer="alice", patterns=["src/**"])
        [claim_id] = held["claim_ids"]
        asked = await ask(
            bob, "request_release", claim_id=claim_id, reason="one line", urgency="high", wait_seconds=0
        )
        inbox = await ask(alice, "pending_requests")
        mine = await ask(bob, "my_requests")
        waiting = await ask(bob, "wait_for_request", request_id=asked["id"], timeout=1)
        answered = await ask(
            alice,
            "respond_to_request",
            request_id=asked["id"],
            decision="narrowed",
            narrowed_pattern="src/a/**",
            note="keep out of src/a",
        )
        decided = await ask(bob, "wait_for_request", request_id=asked["id"], timeout=10)
        none = await ask(bob, "my_requests")
        free = await ask(bob, "claim_files", engineer="bob", patterns=["src/b/x.py"])
    assert asked["decision"] == waiting["decision"] == "pending"
    assert [row["id"] for row in inbox["pending"] if row["kind"] == "request"] == [asked["id"]]
    assert asked["id"] in [row["id"] for row in mine["requests"]]
    assert answered["decision"] == decided["decision"] == "narrowed"
    assert decided["note"] == "keep out of src/a"
    assert asked["id"] not in [row["id"] for row in none["requests"]]
    assert len(free["claim_ids"]) == 1


async def test_it_waits_in_line_and_is_granted(agent: Agent, service: Service, repo: str) -> None:
    async with agent("alice") as alice, agent("bob") as bob, anyio.create_task_group() as group:
        held = await ask(alice, "claim_files", engineer="alice", patterns=["hot.py"])
        results: list[dict[str, Any]] = []

        async def wait() -> None:
            results.append(
                await ask(bob, "claim_files", engineer="bob", patterns=["hot.py"], wait_seconds=25)
            )

        group.start_soon(wait)
        await in_line(service, repo, 1)
        await ask(alice, "release_claims", claim_ids=held["claim_ids"])
    assert len(results[0]["claim_ids"]) == 1


async def test_it_sees_and_leaves_the_line(agent: Agent, service: Service, repo: str) -> None:
    async with agent("alice") as alice, agent("bob") as bob, agent("bob") as beside:
        await ask(alice, "claim_files", engineer="alice", patterns=["hot.py"])
        results: list[dict[str, Any]] = []

        async def wait() -> None:
            results.append(
                await ask(bob, "claim_files", engineer="bob", patterns=["hot.py"], wait_seconds=25)
            )

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            [ticket] = await in_line(service, repo, 1)
            queued = await ask(beside, "my_requests", queued=True)
            cancelled = await ask(beside, "cancel_queue_request", queue_id=ticket["queue_id"], engineer="bob")
        again = await ask(beside, "cancel_queue_request", queue_id=ticket["queue_id"])
    assert queued["queued"] is True
    assert ticket["queue_id"] in [row["queue_id"] for row in queued["requests"]]
    assert (cancelled["cancelled"], again["cancelled"]) == (True, False)
    assert results[0]["claim_ids"] == []


async def in_line(service: Service, repo: str, count: int) -> list[dict[str, Any]]:
    """The repository's tickets once there are ``count`` of them."""
    with service.client() as http, anyio.fail_after(20):
        while True:
            rows = http.get("/requests", params={"queued": "true", "repo": repo}).json()["requests"]
            if len(rows) == count:
                return rows
            await anyio.sleep(0.05)
