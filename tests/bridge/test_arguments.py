"""Bad arguments: a tool error that names the argument, and nothing sent."""

from __future__ import annotations

from typing import Any

import pytest

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.server import _run
from coordsite.bridge.tools import BY_NAME

from .fake_service import FakeService

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("claim_files", {"patterns": 7}, "patterns: "),
    ("claim_files", {"patterns": ["a.py", 7]}, "patterns.1: "),
    ("claim_files", {"patterns": ["x" * 1025]}, "patterns.0: "),
    ("claim_files", {"patterns": ["a"] * 1001}, "patterns: "),
    ("claim_files", {"patterns": ["a"], "wait_seconds": 601}, "wait_seconds: "),
    ("claim_files", {"patterns": ["a"], "wait_seconds": -1}, "wait_seconds: "),
    ("claim_files", {"patterns": ["a"], "urgency": "now"}, "urgency: "),
    ("claim_files", {"patterns": ["a"], "ttl_hours": float("nan")}, "ttl_hours: "),
    ("claim_files", {"patterns": ["a"], "symbols": ["f"]}, "symbols: "),
    ("claim_files", {"patterns": ["a"], "engineer": "x" * 201}, "engineer: "),
    ("check_conflicts", {}, "files: "),
    ("check_conflicts", {"files": []}, "files: "),
    ("release_claims", {}, "claim_ids: "),
    ("request_release", {"claim_id": "c"}, "reason: "),
    ("wait_for_request", {"request_id": "r", "timeout": 1e9}, "timeout: "),
    ("cancel_queue_request", {"queue_id": ""}, "queue_id: "),
    ("list_symbols", {}, "file: "),
]


@pytest.mark.parametrize(("name", "given", "text"), BAD)
async def test_it_names_the_bad_argument(
    bridge: Bridge, fake: FakeService, name: str, given: dict[str, Any], text: str
) -> None:
    result = await _run(BY_NAME[name], given, bridge, None)  # type: ignore[arg-type]
    assert result.is_error
    said = result.content[0].text  # type: ignore[union-attr]
    assert said.startswith(f"{name}: {text}")
    assert len(said) < 400
    assert fake.seen == []


async def test_it_ignores_arguments_of_other_versions(bridge: Bridge) -> None:
    result = await _run(BY_NAME["list_claims"], {"all_repos": False}, bridge, None)  # type: ignore[arg-type]
    assert result.structured_content == {"claims": [], "count": 0}


async def test_it_takes_numbers_and_objects_written_as_text(call: Any, fake: FakeService) -> None:
    await call("claim_files", patterns="[]", symbols='{"a.py": "f"}', ttl_hours="0.5", wait_seconds="0")
    [sent] = fake.calls("POST", "/claims")
    assert sent.body
    assert sent.body["claims"] == [{"type": "file", "pattern": "a.py", "symbols": ["f"]}]
    assert sent.body["ttl_hours"] == 0.5


async def test_a_failure_of_its_own_is_told(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(bridge.service, "get", broken)
    result = await _run(BY_NAME["list_claims"], {}, bridge, None)  # type: ignore[arg-type]
    assert result.is_error
    text = result.content[0].text  # type: ignore[union-attr]
    assert text == "list_claims failed in coord-mcp: RuntimeError: the disk is on fire"
    assert "Traceback" in capsys.readouterr().err
