"""The main job on a real source tree: two agents over MCP and a person with curl meet on the same files."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from .conftest import serving
from .service import COORD, Service, clean_environ, plant_django

REPO = "demo/django"
MODELS = "django/db/models/**"
QUERY = "django/db/models/query.py"
TEXT = "django/utils/text.py"


class Agent:
    """An MCP client on a ``coord-mcp`` process of its own, as an editor starts it."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self.client = client

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result.structured_content, dict), result
        return result.structured_content

    async def claim(self, *patterns: str, **more: Any) -> dict[str, Any]:
        return await self.call("claim_files", engineer=self.name, patterns=list(patterns), **more)


@asynccontextmanager
async def agents(service: Service, tree: Path, *names: str) -> AsyncIterator[list[Agent]]:
    async with AsyncExitStack() as stack:
        found = []
        for name in names:
            server = StdioServerParameters(
                command=str(COORD.with_name("coord-mcp")),
                args=[],
                env=clean_environ(**service.client_variables(COORD_USER=name, COORD_REPO_ID=REPO)),
                cwd=tree,
            )
            found.append(Agent(name, await stack.enter_async_context(Client(server))))
        yield found


def curl(service: Service, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    command = ["curl", "-sS", "-X", method, "-w", "\n%{http_code}", f"{service.url}{path}"]
    command += ["-H", f"Authorization: Bearer {service.token}"]
    if body is not None:
        command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    text, _, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition(
        "\n"
    )
    return int(status), json.loads(text)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("source") / "app"
    assert plant_django(place) > 2000
    return place


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory, migrated: Path, tree: Path) -> Iterator[Service]:
    """A service that knows the checkout."""
    with serving(tmp_path_factory, migrated, {"COORD_REPO_ROOT": str(tree)}) as running:
        yield running


@pytest.fixture
def served(knowing: Service) -> Iterator[Service]:
    """The same, where nothing is held when the test begins."""
    yield knowing
    with knowing.client() as client:
        held = [row["id"] for row in client.get("/claims", params={"repo": REPO}).json()["claims"]]
        client.post("/claims/release", json={"claim_ids": held or ["none"]})


async def test_they_claim_collide_extend_release_and_claim_again(served, tree):
    carol = {"engineer": "carol", "repo": REPO}
    async with agents(served, tree, "alice", "bob") as (alice, bob):
        held = await alice.claim(MODELS, description="query compiler")
        (claim,) = held["claims"]
        assert (claim["pattern"], held["warnings"]) == (MODELS, [])

        refused = await bob.claim(QUERY, TEXT)
        assert refused["claim_ids"] == []
        (conflict,) = refused["conflicts"]
        assert conflict["conflicting_claim"]["engineer"] == "alice"
        assert conflict["conflicting_claim"]["description"] == "query compiler"
        checked = await bob.call("check_conflicts", engineer="bob", files=[QUERY, TEXT])
        assert [entry["your_pattern"] for entry in checked["conflicts"]] == [QUERY]
        listed = await bob.call("list_claims")
        assert [row["engineer"] for row in listed["claims"]] == ["alice"]

        extended = await alice.call("extend_claim", claim_ids=held["claim_ids"], ttl_hours=6)
        assert extended["ok"] is True
        assert extended["expires_at"] > claim["expires_at"]

        items = [{"type": "file", "pattern": "django/db/models/sql/*.py"}, {"type": "file", "pattern": TEXT}]
        status, body = curl(served, "GET", f"/claims?repo={REPO}")
        assert (status, body["count"]) == (200, 1)
        status, body = curl(served, "POST", "/claims", {**carol, "claims": items})
        assert status == 409
        assert "django/db/models/sql/compiler.py" in body["conflicts"][0]["overlap"]
        assert len(body["conflicts"]) == 1

        assert await alice.call("release_claims", claim_ids=held["claim_ids"]) == {"released": 1}
        granted = await bob.claim(QUERY, TEXT)
        assert [one["pattern"] for one in granted["claims"]] == [QUERY, TEXT]
        assert all(one["fence"] > claim["fence"] for one in granted["claims"])
        assert (await alice.claim(MODELS))["conflicts"][0]["conflicting_claim"]["engineer"] == "bob"
        assert (await alice.claim("django/db/models/expressions.py"))["claim_ids"]

        query = f"/conflicts?engineer=carol&repo={REPO}&pattern={TEXT}&pattern=django/utils/html.py"
        status, body = curl(served, "GET", query)
        assert (status, [entry["engineer"] for entry in body["conflicts"]]) == (200, ["bob"])
        assert (await bob.call("release_session"))["released"] == 2
        status, body = curl(served, "POST", "/claims", {**carol, "claims": items[1:]})
        assert (status, body["claims"][0]["pattern"]) == (200, TEXT)
        assert body["claims"][0]["fence"] > granted["claims"][1]["fence"]


async def test_the_guards_know_the_tree(served, tree):
    async with agents(served, tree, "alice") as (alice,):
        refused = await alice.claim("django/contrib/**")
        assert refused["claim_ids"] == []
        assert refused["warnings"][0].startswith("Pattern 'django/contrib/**' matches ")
        assert refused["options"] == ["narrow_claim", "escalate"]
        granted = await alice.claim("django/contrib/admin/*.py", "django/contrib/admin/Sites.py")
        assert len(granted["claim_ids"]) == 2
        (warning,) = granted["warnings"]
        assert "Did you mean 'django/contrib/admin/sites.py'?" in warning


async def test_a_waiting_agent_gets_the_file_when_it_is_free(served, tree):
    async with agents(served, tree, "alice", "bob") as (alice, bob):
        held = await alice.claim(TEXT)
        waiting = asyncio.create_task(bob.claim(TEXT, wait_seconds=30))
        while not (await bob.call("my_requests", queued=True))["count"]:
            assert not waiting.done(), waiting.result()
        await alice.call("release_claims", claim_ids=held["claim_ids"])
        granted = await waiting
        assert granted["claims"][0]["fence"] > held["claims"][0]["fence"]
