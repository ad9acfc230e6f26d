"""A token for one repository over ``/mcp``: every tool stays within it, whatever ids it is given."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from .service import git, wait_for
from .test_mcp_http import GOLDEN, ask, connect, personal_token

OTHER = "org/other"
OURS = "org/ours"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout of the other repository, which the service knows."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "secret.py").write_text("def secret():\n    pass\n")
    git(tree, "init", "-q")
    git(tree, "add", "secret.py")
    return tree


@pytest.fixture
def other(start_service, tree):
    """The service, and what is in the other repository: a claim, a request for it, a place in line."""
    service = start_service(COORD_REPO_ROOT=str(tree), COORD_REPO_ID=OTHER, COORD_MAX_CLAIM_RATIO="1")
    body = {"repo": OTHER, "claims": [{"type": "file", "pattern": "secret.py"}]}
    with service.client() as http:
        held = http.post("/claims", json={**body, "engineer": "alice", "session_id": "alice-1"}).json()
        [claim_id] = held["claim_ids"]
        asked = {"claim_id": claim_id, "requester": "bob", "session_id": "bob-1", "wait_seconds": 0}
        request_id = http.post("/requests", json=asked).json()["id"]
        waiting = {**body, "engineer": "bob", "session_id": "bob-1", "wait_seconds": 60}

        def wait_in_line() -> None:
            with service.client() as waiter:
                waiter.post("/claims", json=waiting)

        thread = threading.Thread(target=wait_in_line)
        thread.start()
        rows = wait_for(lambda: http.get("/requests?queued=true").json()["requests"], "bob is in line")
        yield service, {"claim": claim_id, "request": request_id, "queue": rows[0]["queue_id"]}
        http.delete(f"/claims/{claim_id}")
    thread.join(20)


def walk(ids: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Every tool, given what belongs to the other repository."""
    return [
        ("list_claims", {"active_only": False}),
        ("check_conflicts", {"files": ["secret.py"], "engineer": "carol"}),
        ("claim_files", {"engineer": "carol", "patterns": ["secret.py"]}),
        ("release_claims", {"claim_ids": [ids["claim"]]}),
        ("extend_claim", {"claim_id": ids["claim"], "ttl_hours": 9}),
        ("list_symbols", {"file": "secret.py"}),
        ("pending_requests", {"session_id": "alice-1"}),
        ("pending_requests", {}),
        ("request_release", {"claim_id": ids["claim"], "reason": "mine", "wait_seconds": 0}),
        ("respond_to_request", {"request_id": ids["request"], "decision": "approved"}),
        ("wait_for_request", {"request_id": ids["request"], "timeout": 0}),
        ("my_requests", {"decision": "pending"}),
        ("my_requests", {"queued": True}),
        ("cancel_queue_request", {"queue_id": ids["queue"], "engineer": "bob"}),
        ("release_session", {"session_id": "alice-1"}),
        ("release_session", {}),
    ]


async def test_no_tool_sees_or_touches_another_repository(other):
    service, ids = other
    with service.client() as http:
        before = world(http, ids)
        token = personal_token(service, "carol", OURS)
        for repo in (None, OURS, OTHER):
            headers = {"X_Coord_Session": "carol-1", **({"X_Coord_Repo": repo} if repo else {})}
            async with connect(service, "auto", token=token, **headers) as client:
                steps = walk(ids)
                assert {name for name, _ in steps} == {
                    tool["name"] for tool in json.loads(GOLDEN.read_text())
                }
                for name, given in steps:
                    reply = await ask(client, name, **given)
                    told = json.dumps(reply)
                    assert not {"alice", "bob"} & set(told.replace('"', " ").split()), (name, told)
                    if name == "claim_files":
                        assert bool(reply["claim_ids"]) is (repo != OTHER)
                    if name == "list_symbols":
                        assert reply["code"] == ("forbidden" if repo == OTHER else "no_source")
        assert world(http, ids) == before
        rows = http.get("/claims?active_only=false").json()["claims"]
        assert {row["repo"] for row in rows if row["engineer"] == "carol"} == {OURS}


def world(http, ids: dict[str, str]) -> list[Any]:
    """What is in the other repository: the claim, the request, the line, the history."""
    shown = [http.get(f"/claims/{ids['claim']}").json(), http.get(f"/requests/{ids['request']}").json()]
    shown[0].pop("last_activity", None)
    rows = http.get("/requests", params={"queued": "true", "repo": OTHER}).json()["requests"]
    history = http.get("/claims", params={"active_only": "false", "repo": OTHER}).json()["count"]
    return [*shown, [row["queue_id"] for row in rows], history]
