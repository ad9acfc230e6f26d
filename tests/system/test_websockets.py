"""Websockets of the real server, and the client that their page shows."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .service import clean_environ

PAGE = (Path(__file__).parents[2] / "docs" / "websockets.md").read_text()


def client_of_the_page() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code.splitlines()) <= 15
    return code


def claim(http: Any, engineer: str, repo: str, **fields: Any) -> Any:
    items = [{"type": "file", "pattern": "a.py"}]
    return http.post("/claims", json={"engineer": engineer, "repo": repo, "claims": items, **fields}).json()


def websocket(service: Any, path: str) -> str:
    return f"ws://127.0.0.1:{service.port}{path}"


def test_the_client_of_the_page_prints_events_and_goes_on_after_a_restart(start_service, tmp_path):
    service = start_service()
    script = tmp_path / "follow.py"
    script.write_text(client_of_the_page())
    environ = clean_environ(**service.client_variables())
    refused = [sys.executable, str(script), "%00"]
    told = subprocess.run(refused, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout
    assert json.loads(told)["detail"].startswith("repo: "), "it ends, and says why"
    command = [sys.executable, str(script), "org/ws"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as follower:
        try:
            assert follower.stdout is not None
            assert json.loads(follower.stdout.readline())["type"] == "ready"
            with service.client() as http:
                claim(http, "bob", "org/elsewhere")
                held = claim(http, "alice", "org/ws")["claim_ids"]
                event = json.loads(follower.stdout.readline())["event"]
                assert (event["event_type"], event["repo"]) == ("claim_granted", "org/ws")
                service.stop()
                start_service(port=service.port)
                http.post("/claims/release", json={"claim_ids": held})
            messages = (json.loads(line) for line in follower.stdout)
            after = next(message["event"] for message in messages if message["type"] == "event")
            assert (after["event_type"], after["claim_id"]) == ("claim_released", held[0])
            assert after["seq"] > event["seq"]
        finally:
            follower.kill()


def test_a_place_is_told_from_waiting_to_granted(service, http):
    held = claim(http, "alice", "org/place")["claim_ids"]
    place = claim(http, "bob", "org/place", hold_place_seconds=60)["queue_id"]
    token = base64.urlsafe_b64encode(service.token.encode()).decode().rstrip("=")
    protocols = ["coord", f"bearer.{token}"]
    with connect(websocket(service, f"/ws/queue/{place}"), subprotocols=protocols) as socket:
        assert socket.subprotocol == "coord"
        heard = [json.loads(socket.recv(timeout=20))]
        http.post("/claims/release", json={"claim_ids": held})
        while heard[-1]["ticket"]["state"] != "offered":
            heard.append(json.loads(socket.recv(timeout=20)))
        assert heard[-1]["offer_until"]
        assert http.get(f"/requests/queue/{place}").status_code == 200
        heard += [json.loads(message) for message in socket]
        assert socket.close_code == 1000
    assert [one["ticket"]["state"] for one in heard] == ["waiting", "offered", "granted"]
    assert heard[0]["ticket"]["blocking_engineer"] == "alice"


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Origin": "http://elsewhere.example"}]
)
def test_who_proves_nothing_is_refused_before_the_handshake(service, headers):
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(websocket(service, "/ws/events"), additional_headers=headers),
    ):
        pass
    assert refused.value.response.status_code == 403
