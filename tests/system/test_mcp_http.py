"""MCP over streamable HTTP: the official client against the running service, in both protocol eras."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import httpx
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from .conftest import KNOWN
from .service import Service, clean_environ, tls
from .test_mcp_door import BOTH

GOLDEN = Path(__file__).parents[1] / "bridge" / "tools.json"
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
def repo() -> str:
    return f"app-{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def connect(
    service: Service, mode: str, *, token: str | None = None, **headers: str
) -> AsyncIterator[Client]:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Authorization"] = f"Bearer {token or service.token}"
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, verify=tls()) as http,
        Client(streamable_http_client(f"{service.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def ask(client: Client, tool: str, **given):
    result = await client.call_tool(tool, given)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


@ERAS
async def test_it_offers_the_same_tools_as_over_stdio(service, mode):
    async with connect(service, mode, X_Coord_Session="s1") as client:
        assert client.protocol_version == {"auto": "2026-07-28", "legacy": "2025-11-25"}[mode]
        assert client.server_info.name == "coordination"
        assert len(client.instructions) <= 600
        listed = await client.list_tools()
    shown = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools]
    assert shown == json.loads(GOLDEN.read_text())


@ERAS
async def test_it_coordinates_two_agents(service, repo, http, mode):
    alice = connect(service, mode, X_Coord_Session=f"{repo}-a", X_Coord_Repo=repo, X_Coord_Engineer="alice")
    bob = connect(service, mode, X_Coord_Session=f"{repo}-b", X_Coord_Repo=repo, X_Coord_Engineer="bob")
    async with alice as a, bob as b:
        granted = await ask(a, "claim_files", engineer="alice", patterns=["src/**"])
        refused = await ask(b, "claim_files", engineer="bob", patterns=["src/a.py"])
        checked = await ask(b, "check_conflicts", engineer="bob", files=["src/a.py"])
        listed = await ask(b, "list_claims")
        extended = await ask(a, "extend_claim", claim_ids=granted["claim_ids"])
        asked = await ask(
            b, "request_release", claim_id=granted["claim_ids"][0], reason="one line", wait_seconds=0
        )
        mine = await ask(b, "my_requests")
        pending = await ask(a, "pending_requests")
        answered = await ask(a, "respond_to_request", request_id=asked["id"], decision="approved")
        decided = await ask(b, "wait_for_request", request_id=asked["id"], timeout=5)
        after = await ask(b, "claim_files", engineer="bob", patterns=["src/a.py"])
        left = await ask(b, "cancel_queue_request", queue_id="none")
        symbols = await ask(b, "list_symbols", file="src/a.py")
        released = await ask(b, "release_claims", claim_ids=after["claim_ids"])
        again = await ask(b, "claim_files", engineer="bob", patterns=["src/b.py"])
        ended = await ask(b, "release_session")
    assert granted["claims"][0]["pattern"] == "src/**"
    assert refused["conflicts"][0]["conflicting_claim"]["engineer"] == "alice"
    assert (checked["has_conflicts"], listed["count"], extended["ok"]) == (True, 1, True)
    assert [row["id"] for row in mine["requests"]] == [asked["id"]]
    assert [row["id"] for row in pending["pending"] if row["kind"] == "request"] == [asked["id"]]
    assert answered["decision"] == decided["decision"] == "approved"
    assert (left["cancelled"], symbols["code"]) == (False, "no_source")
    assert (released, bool(again["claim_ids"]), ended) == ({"released": 1}, True, {"released": 1})
    rows = http.get("/claims", params={"repo": repo, "active_only": "false"}).json()["claims"]
    assert {(row["engineer"], row["session_id"]) for row in rows} == {
        ("alice", f"{repo}-a"),
        ("bob", f"{repo}-b"),
    }


@ERAS
async def test_it_reports_progress_while_it_waits(service, repo, mode):
    told: list[str] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(message or "")
        holder.set()

    holder = anyio.Event()
    alice = connect(service, mode, X_Coord_Session=f"{repo}-a", X_Coord_Repo=repo)
    bob = connect(service, mode, X_Coord_Session=f"{repo}-b", X_Coord_Repo=repo)
    async with alice as a, bob as b, anyio.create_task_group() as group:
        held = await ask(a, "claim_files", engineer="alice", patterns=["hot.py"])
        results = []

        async def wait() -> None:
            given = {"engineer": "bob", "patterns": ["hot.py"], "wait_seconds": 50}
            results.append(await b.call_tool("claim_files", given, progress_callback=progress))

        group.start_soon(wait)
        with anyio.fail_after(30):
            await holder.wait()
        await ask(a, "release_claims", claim_ids=held["claim_ids"])
    assert told[0].startswith("position 1, held by alice")
    assert results[0].structured_content["claims"][0]["pattern"] == "hot.py"


@ERAS
async def test_it_gives_the_place_up_when_the_client_leaves(service, repo, http, mode):
    async with connect(service, mode, X_Coord_Session=f"{repo}-a", X_Coord_Repo=repo) as a:
        await ask(a, "claim_files", engineer="alice", patterns=["hot.py"])
        started = anyio.Event()

        async def progress(*_: object) -> None:
            started.set()

        bob = connect(service, mode, X_Coord_Session=f"{repo}-b", X_Coord_Repo=repo)
        async with bob as b, anyio.create_task_group() as group:
            given = {"engineer": "bob", "patterns": ["hot.py"], "wait_seconds": 300}
            group.start_soon(b.call_tool, "claim_files", given, None, progress)
            with anyio.fail_after(30):
                await started.wait()
            group.cancel_scope.cancel()
        with anyio.fail_after(20):
            while http.get("/requests", params={"queued": "true", "repo": repo}).json()["count"]:
                await anyio.sleep(0.05)


@ERAS
async def test_an_open_connection_keeps_a_quiet_agents_lease(configured, repo, mode):
    """No tool is called: the stream that the client holds open is the sign of life."""
    service = configured
    async with connect(service, mode, X_Coord_Session="sa", X_Coord_Repo=repo) as client:
        [claim_id] = (await ask(client, "claim_files", engineer="alice", patterns=["a.py"]))["claim_ids"]
        async with AsyncExitStack() as stack, anyio.create_task_group() as group:
            if mode == "auto":
                await stack.enter_async_context(client.listen(tools_list_changed=True))
            with service.client() as http, anyio.fail_after(30):
                first = http.get(f"/claims/{claim_id}").json()["last_activity"]
                while (row := http.get(f"/claims/{claim_id}").json())["last_activity"] == first:
                    await anyio.sleep(0.1)
            group.cancel_scope.cancel()
    assert (row["released_at"], row["end_reason"]) == (None, None)
    assert "Traceback" not in service.output()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_a_stream_ends_with_the_service(start_service, server):
    service = start_service(COORD_ASGI_SERVER=server)
    headers = {"Authorization": f"Bearer {service.token}", "X-Coord-Session": "sa", "Accept": BOTH}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, verify=tls()) as client,
        client.stream("GET", f"{service.url}/mcp") as stream,
    ):
        assert (stream.status_code, stream.headers["Content-Type"]) == (200, "text/event-stream")
        lines = stream.aiter_lines()
        assert await anext(lines) == ": coord"
        assert await anyio.to_thread.run_sync(service.stop) == 0
        assert [line async for line in lines if line] == []


def test_a_stream_belongs_to_a_session(service):
    headers = {"Authorization": f"Bearer {service.token}", "Accept": "text/event-stream"}
    answer = httpx.get(f"{service.url}/mcp", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["next"]) == (400, "Send X-Coord-Session or Mcp-Session-Id.")


async def test_it_lists_symbols_without_a_checkout_of_its_own(configured, repo):
    """From the text that is sent, and from the checkout that the service knows."""
    service = configured
    async with connect(service, "auto", X_Coord_Session="sa", X_Coord_Repo=KNOWN) as client:
        sent = await ask(client, "list_symbols", file="b.py", source="class K:\n    def m(self): ...\n")
        kept = await ask(client, "list_symbols", file="a.py")
        untracked = await ask(client, "list_symbols", file="untracked.py")
        outside = await ask(client, "list_symbols", file="../tree.log")
    async with connect(service, "auto", X_Coord_Session="sa", X_Coord_Repo=repo) as client:
        elsewhere = await ask(client, "list_symbols", file="a.py")
    assert [row["path"] for row in sent["symbols"]] == ["K", "K::m"]
    assert [row["path"] for row in kept["symbols"]] == ["known"]
    assert (untracked["code"], outside["code"]) == ("no_file", "no_file")
    assert elsewhere["code"] == "no_source"


async def test_it_tells_a_lost_lease_with_the_next_reply(configured, repo):
    service = configured
    async with connect(service, "auto", X_Coord_Session="sa", X_Coord_Repo=repo) as client:
        await ask(client, "claim_files", engineer="alice", patterns=["a.py"])
    with service.client() as http, anyio.fail_after(60):
        while http.get("/claims", params={"repo": repo}).json()["count"]:
            await anyio.sleep(0.05)
    # Another process of the service would know nothing of what was told; neither does a new bridge.
    async with connect(service, "auto", X_Coord_Session="sa", X_Coord_Repo=f"{repo}-2") as client:
        told = await ask(client, "list_claims")
        again = await ask(client, "list_claims")
    assert told["coord_notice"].startswith("Lease lost: a.py (idle)")
    assert "coord_notice" not in again


async def test_a_client_of_the_older_era_has_a_session_of_its_own(service, repo, http):
    """Without a session header, two connections of one engineer are still two agents."""
    headers = {"X_Coord_Repo": repo, "X_Coord_Engineer": "alice"}
    async with connect(service, "legacy", **headers) as one, connect(service, "legacy", **headers) as two:
        await ask(one, "claim_files", engineer="alice", patterns=["a.py"])
        refused = await ask(two, "claim_files", engineer="alice", patterns=["a.py"])
        mine = await ask(one, "list_claims")
    assert refused["claim_ids"] == []
    assert [row.get("mine") for row in mine["claims"]] == [True]
    [row] = http.get("/claims", params={"repo": repo}).json()["claims"]
    assert row["session_id"].startswith("mcp-")


async def test_it_asks_who_an_anonymous_connection_is(service):
    async with connect(service, "auto") as client:
        with pytest.raises(MCPError, match="X-Coord-Session"):
            await client.call_tool("list_claims", {})


MAKE_TOKEN = """
import sys, django
django.setup()
from common.caller import SYSTEM
from coordsite.tokens.services import create_token
print(create_token(caller=SYSTEM, engineer=sys.argv[1], repositories=[sys.argv[2]]).raw)
"""


def personal_token(service: Service, engineer: str, repo: str) -> str:
    """A token of the engineer's for one repository, made beside the running service."""
    environ = clean_environ(
        COORD_DATABASE_PATH=str(service.database),
        COORD_AUTH_TOKEN=service.token,
        DJANGO_SETTINGS_MODULE="coordsite.settings",
    )
    command = [sys.executable, "-c", MAKE_TOKEN, engineer, repo]
    made = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


async def test_it_keeps_to_the_engineer_and_repositories_of_a_token(service, repo):
    token = personal_token(service, "carol", repo)
    async with connect(service, "auto", token=token) as client:
        granted = await ask(client, "claim_files", patterns=["a.py"])
        forged = await ask(client, "claim_files", engineer="alice", patterns=["b.py"])
    async with connect(service, "auto", token=token, X_Coord_Repo="org/other") as client:
        outside = await ask(client, "claim_files", patterns=["a.py"])
    assert granted["claim_ids"]
    assert (forged["claim_ids"], outside["claim_ids"]) == ([], [])
    assert "carol" in forged["detail"]
    assert "org/other" in outside["detail"]


async def test_a_stop_does_not_wait_for_waiters(start_service, repo):
    service = start_service()
    async with connect(service, "auto", X_Coord_Session="sa", X_Coord_Repo=repo) as a:
        await ask(a, "claim_files", engineer="alice", patterns=["hot.py"])
        async with connect(service, "legacy", X_Coord_Session="sc", X_Coord_Repo=repo) as c:
            await ask(c, "list_symbols", file="b.py", source="def f(): ...\n")  # on a thread of the library's
        started, ended = anyio.Event(), []

        async def progress(*_: object) -> None:
            started.set()

        async def wait() -> None:
            async with connect(service, "auto", X_Coord_Session="sb", X_Coord_Repo=repo) as b:
                given = {"engineer": "bob", "patterns": ["hot.py"], "wait_seconds": 600}
                try:
                    ended.append(await b.call_tool("claim_files", given, None, progress))
                except MCPError as error:
                    ended.append(error)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            with anyio.fail_after(30):
                await started.wait()
            assert await anyio.to_thread.run_sync(service.stop) == 0
            with anyio.fail_after(30):
                while not ended:
                    await anyio.sleep(0.05)
            group.cancel_scope.cancel()
    assert "Traceback" not in service.output()
