"""``tools/list`` as clients get it: golden, small, complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coordsite.bridge.server import described
from coordsite.bridge.tools import INSTRUCTIONS

GOLDEN = Path(__file__).with_name("tools.json")
NAMES = [
    "list_claims",
    "check_conflicts",
    "claim_files",
    "release_claims",
    "release_session",
    "extend_claim",
    "list_symbols",
    "pending_requests",
    "request_release",
    "respond_to_request",
    "wait_for_request",
    "my_requests",
    "cancel_queue_request",
]


def tools() -> list[dict[str, Any]]:
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in described()]


def test_it_is_the_golden_file() -> None:
    assert tools() == json.loads(GOLDEN.read_text())


def test_it_stays_below_its_ceiling() -> None:
    assert len(json.dumps({"tools": tools()}, separators=(",", ":"))) <= 9000


def test_it_instructs_in_600_characters() -> None:
    assert len(INSTRUCTIONS) <= 600


@pytest.mark.parametrize("tool", tools(), ids=lambda tool: tool["name"])
def test_it_describes_each_tool(tool: dict[str, Any]) -> None:
    assert tool["title"]
    assert tool["description"].startswith("Call ")
    assert set(tool["annotations"]) == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    assert tool["inputSchema"]["type"] == tool["outputSchema"]["type"] == "object"
    assert set(tool["inputSchema"].get("required", ())) <= set(tool["inputSchema"]["properties"])


def test_it_has_every_tool_in_order() -> None:
    assert [tool["name"] for tool in tools()] == NAMES


REFERENCE: dict[str, dict[str, Any]] = {
    "list_claims": {"active_only": True, "engineer": None, "module": None},
    "check_conflicts": {"files": ..., "engineer": ...},
    "claim_files": {
        "engineer": ...,
        "patterns": ...,
        "description": None,
        "branch": None,
        "shared_files": None,
        "ttl_hours": None,
        "symbols": None,
        "narrowable": None,
        "wait_seconds": None,
        "urgency": None,
    },
    "release_claims": {"claim_ids": ..., "engineer": None},
    "pending_requests": {"session_id": None},
    "request_release": {
        "claim_id": ...,
        "reason": ...,
        "urgency": "normal",
        "wait_seconds": 60,
        "requested_scope": "",
    },
    "respond_to_request": {
        "request_id": ...,
        "decision": ...,
        "note": "",
        "narrowed_pattern": "",
        "coexist_pattern": "",
    },
    "wait_for_request": {"request_id": ..., "timeout": 60},
    "my_requests": {"decision": "pending", "queued": None},
    "release_session": {"session_id": None},
    "cancel_queue_request": {"queue_id": ..., "engineer": None},
}


@pytest.mark.parametrize("name", REFERENCE)
def test_it_keeps_parameters_and_defaults(name: str) -> None:
    schema = next(tool for tool in tools() if tool["name"] == name)["inputSchema"]
    for parameter, default in REFERENCE[name].items():
        assert schema["properties"][parameter].get("default") == (None if default is ... else default)
        assert (parameter in schema.get("required", ())) is (default is ...)
