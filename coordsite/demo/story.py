"""The story that the demo plays: two agents over MCP and a person with curl meet on the same files."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from coordsite.demo.stage import REPO, Stage

ADMIN = "django/contrib/admin/**"
OPTIONS = "django/contrib/admin/options.py"
SITES = "django/contrib/admin/sites.py"
QUERY = "django/db/models/query.py"
OPENING = """
Three work on one repository, and each asks before it edits: alice and bob are coding agents
(MCP over stdio, as an editor starts them), carol is a person with curl."""
Say = Callable[[str], None]
Reply = dict[str, Any]


class Unexpected(RuntimeError):
    """The service did not answer as the story needs it to."""


async def tell(stage: Stage, say: Say) -> None:
    """Play the whole story. Raises :class:`Unexpected` when an answer is not the one expected."""
    say(OPENING)
    async with agent(stage, "alice") as alice, agent(stage, "bob") as bob:
        granted = await _collide(alice, bob, stage, say)
        await _work_below_the_file(alice, bob, say)
        await _hand_over(alice, bob, granted, say)
        await _claim_again(alice, say)
    status, body = await asyncio.to_thread(curl, stage, "GET", "/claims")
    _expect(status == 200 and body["count"] == 0, body)
    say("\nBoth agents have left; carol sees that what their sessions held is released.")


@asynccontextmanager
async def agent(stage: Stage, name: str) -> AsyncIterator[Client]:
    """An MCP client on its own ``coord-mcp`` process over stdio, as an editor starts it."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "coordsite.bridge.main"],
        env=stage.environ(COORD_USER=name, COORD_SESSION_ID=f"demo-{name}"),
        cwd=stage.tree,
    )
    async with Client(server) as client:
        yield client
        await _call(client, "release_session", {})


def curl(stage: Stage, method: str, path: str, body: Reply | None = None) -> tuple[int, Reply]:
    """One call as a person makes it; the token goes over standard input, not the command line."""
    program = shutil.which("curl")
    if program is None:
        raise Unexpected("curl is not installed; the story's third person uses it")
    lines = [f'header = "Authorization: Bearer {stage.token}"', 'header = "Content-Type: application/json"']
    if body is not None:
        lines.append(f"data = {json.dumps(json.dumps(body))}")
    command = [program, "-sS", "-X", method, "-w", "\n%{http_code}", "-K", "-", f"{stage.url}{path}"]
    result = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, check=True)
    text, _, status = result.stdout.decode().rpartition("\n")
    return int(status), json.loads(text)


async def _collide(alice: Client, bob: Client, stage: Stage, say: Say) -> Reply:
    say(f"\nalice (MCP) claims {ADMIN}")
    granted = await _call(alice, "claim_files", {"engineer": "alice", "patterns": [ADMIN]})
    _expect(granted["claim_ids"], granted)
    claim = granted["claims"][0]
    say(f"  granted until {claim['expires_at']}, with fence {claim['fence']}: a number that only grows,")
    say("  so that whoever shows an old one later is told that it holds nothing any more")
    say(f"\nbob (MCP) claims {OPTIONS}")
    refused = await _call(bob, "claim_files", {"engineer": "bob", "patterns": [OPTIONS]})
    _expect(not refused["claim_ids"] and refused["conflicts"], refused)
    holder = refused["conflicts"][0]["conflicting_claim"]
    say(f"  refused: {holder['engineer']} holds {holder['pattern']}")
    say(f"\ncarol (curl) claims {OPTIONS} and {QUERY} in one call")
    items = [{"type": "file", "pattern": path} for path in (OPTIONS, QUERY)]
    status, body = await asyncio.to_thread(
        curl, stage, "POST", "/claims", {"engineer": "carol", "repo": REPO, "claims": items}
    )
    _expect(status == 409 and not body["claim_ids"], body)
    say(f"  {status}: all or nothing, so {QUERY} is not taken either")
    say(f"  what to do: {body['next']}")
    return granted


async def _work_below_the_file(alice: Client, bob: Client, say: Say) -> None:
    wanted = "QuerySet::filter", "QuerySet::exclude"
    say(f"\nalice and bob claim one method each of {QUERY}")
    for client, name, symbol in ((alice, "alice", wanted[0]), (bob, "bob", wanted[1])):
        reply = await _call(
            client, "claim_files", {"engineer": name, "patterns": [QUERY], "symbols": {QUERY: [symbol]}}
        )
        _expect(reply["claim_ids"], reply)
        say(f"  {name}: {symbol} granted")


async def _hand_over(alice: Client, bob: Client, granted: Reply, say: Say) -> None:
    claim_ids = granted["claim_ids"]
    extended = await _call(alice, "extend_claim", {"claim_ids": claim_ids, "ttl_hours": 6})
    _expect(extended.get("ok"), extended)
    say("\nalice extends her lease to six hours")
    say(f"bob waits in line for {OPTIONS}")
    started = time.monotonic()
    waiting = asyncio.create_task(
        _call(bob, "claim_files", {"engineer": "bob", "patterns": [OPTIONS], "wait_seconds": 60})
    )
    await _until_in_line(bob)
    say(f"  in line after {time.monotonic() - started:.1f} s; alice releases")
    released_at = time.monotonic()
    released = await _call(alice, "release_claims", {"claim_ids": claim_ids, "engineer": "alice"})
    _expect(released.get("released") == 1, released)
    reply = await waiting
    _expect(reply["claim_ids"], reply)
    wake_ms = 1000 * (time.monotonic() - released_at)
    say(f"  bob has it {wake_ms:.0f} ms later, with fence {reply['claims'][0]['fence']}")


async def _claim_again(alice: Client, say: Say) -> None:
    say(f"\nalice claims {ADMIN} again")
    refused = await _call(alice, "claim_files", {"engineer": "alice", "patterns": [ADMIN]})
    _expect(not refused["claim_ids"] and refused["conflicts"], refused)
    holder = refused["conflicts"][0]["conflicting_claim"]
    say(f"  refused: {holder['engineer']} holds {holder['pattern']} now")
    say(f"and takes {SITES} instead")
    granted = await _call(alice, "claim_files", {"engineer": "alice", "patterns": [SITES]})
    _expect(granted["claim_ids"], granted)
    say(f"  granted, with fence {granted['claims'][0]['fence']}")


async def _until_in_line(bob: Client) -> None:
    for _ in range(100):
        reply = await _call(bob, "my_requests", {"queued": True})
        if reply.get("count"):
            return
        await asyncio.sleep(0.05)
    raise Unexpected("bob never stood in line")


async def _call(client: Client, tool: str, arguments: Reply) -> Reply:
    result = await client.call_tool(tool, arguments)
    content = result.structured_content
    if not isinstance(content, dict):
        raise Unexpected(f"{tool} answered {result}")
    return content


def _expect(right: Any, reply: Reply) -> None:
    if not right:
        raise Unexpected(json.dumps(reply)[:1000])
