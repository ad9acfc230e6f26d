"""The door of MCP over HTTP: who may enter, from which page, with what, and what is counted."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from .service import tls, wait_for

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
BOTH = "application/json, text/event-stream"


def post(service, body=INITIALIZE, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Accept": BOTH, "Authorization": f"Bearer {service.token}", **named}
    return httpx.post(f"{service.url}/mcp", json=body, headers=sent, timeout=30, verify=tls())


def test_it_wants_a_token(service):
    answer = post(service, Authorization="Bearer wrong")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (answer.json()["detail"], answer.json()["code"]) == ("Invalid bearer token", "unauthenticated")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://localhost.evil.example", "http://["]
)
def test_it_refuses_pages_of_other_origins(service, origin):
    answer = post(service, Origin=origin)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_it_does_not_take_a_renamed_host_for_its_own(service):
    answer = post(service, Origin="http://evil.example:8080", Host="evil.example:8080")
    assert answer.status_code == 403


def test_it_serves_pages_of_this_machine_and_configured_ones(configured):
    service = configured
    for origin in ("http://localhost:6274", "https://ide.example", "https://b.example"):
        assert post(service, Origin=origin).status_code == 200, origin
    assert post(service, Origin="https://c.example").status_code == 403


def test_it_names_a_session_to_a_client_that_opens_one(service):
    opened = post(service)
    assert opened.status_code == 200
    assert len(opened.headers["Mcp-Session-Id"]) == 32
    assert opened.headers["X-Request-ID"]
    assert "Mcp-Session-Id" not in post(service, Mcp_Session_Id="known").headers


def test_it_refuses_a_session_that_no_path_can_hold(service):
    answer = post(service, X_Coord_Session="a/b")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_it_takes_messages_by_post_alone(service, method):
    answer = httpx.request(method, f"{service.url}/mcp", headers={"Authorization": f"Bearer {service.token}"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


def test_it_bounds_the_body(service):
    answer = post(service, {"padding": "x" * (2 * 1024 * 1024)})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_it_is_counted_under_its_path(service, http):
    post(service)
    line = 'http_requests_total{method="POST",path="/mcp",status="200"}'
    wait_for(lambda: line in http.get("/metrics").text, "it is counted once it has ended")


def test_the_web_process_starts_without_the_sdk(start_service):
    service = start_service()
    maps = Path(f"/proc/{service.web_process()}/maps")

    def loaded() -> bool:
        return "pydantic_core" in maps.read_text() and "httpx2" in maps.read_text()

    assert not loaded()
    assert post(service).status_code == 200
