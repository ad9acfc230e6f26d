"""The service's HTTP as clients meet it: bodies, methods, ids, headers, pages, metrics."""

from __future__ import annotations

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from .service import Service, tls, wait_for

CLAIM = {"engineer": "alice", "claims": [{"type": "file", "pattern": "a.py"}]}
SHAPE = {"detail", "code", "retryable", "retry_after_s", "next"}


def raw(service: Service, request: bytes) -> bytes:
    """What the service answers to these bytes, until it closes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def chunks(size: int):
    for _ in range(0, size, 65536):
        yield b"x" * 65536


@pytest.mark.parametrize(
    ("path", "limit_kib"), [("/claims", 2048), ("/claims/release", 2048), ("/requests", 256)]
)
def test_a_streamed_body_has_the_same_limit(http, path, limit_kib):
    answer = http.post(
        path, content=chunks(limit_kib * 1024 + 65536), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["detail"] == f"The body is larger than {limit_kib} KiB"
    assert set(answer.json()) == SHAPE
    assert answer.headers["X-Request-ID"]
    assert http.get("/health").text == "ok"


def test_a_streamed_body_within_the_limit_is_read(http):
    body = json.dumps({**CLAIM, "repo": "org/streamed"}).encode()
    answer = http.post(
        "/claims",
        content=(body[n : n + 7] for n in range(0, len(body), 7)),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert answer.status_code == 200


def test_a_body_that_says_it_is_huge_is_refused_unread(service):
    head = (
        f"POST /claims HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token}\r\nConnection: close\r\n"
    )
    answer = raw(
        service,
        f"{head}Content-Type: application/json\r\nContent-Length: 3000000\r\n\r\n".encode()
        + b"x" * 3_000_000,
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("token", [b"\xff\xfe", b"t\xc3\xa9st", b"\x00", b"a" * 5000])
def test_odd_bytes_in_the_token_are_a_401(service, token):
    answer = raw(
        service,
        b"GET /claims HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        + token
        + b"\r\n\r\n",
    )
    assert re.match(rb"HTTP/1.1 40[01] ", answer), answer[:200]
    assert b"Traceback" not in answer


def test_a_disconnect_in_the_middle_of_a_body_is_no_error(service, http):
    head = f"POST /claims HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token}\r\n"
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    assert http.get("/health").text == "ok"
    assert "Traceback" not in service.output()


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "TRACE"])
def test_another_method_is_a_405(http, method):
    answer = http.request(method, "/claims")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"
    if method == "HEAD":
        assert answer.content == b""
    else:
        assert answer.json()["detail"] == "Method Not Allowed"
        assert set(answer.json()) == SHAPE


def test_a_trailing_slash_leads_to_the_path_without(http):
    answer = http.post("/claims/?x=1", json=CLAIM, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/claims?x=1")
    followed = http.post("/claims/", json={**CLAIM, "repo": "org/slash"}, follow_redirects=True)
    assert followed.status_code == 200


@pytest.mark.parametrize(
    "path", ["/nothing", "/claims/a/b/c", "/%00", "/claims/%00", "/%ff", "//x", "/../etc"]
)
def test_an_unknown_path_is_a_404_in_the_one_shape(http, path):
    answer = http.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == SHAPE
    assert answer.json()["code"] == "not_found"


def test_each_answer_carries_a_request_id(service):
    with service.client(token="") as nobody:
        for method, path in (("GET", "/health"), ("GET", "/claims"), ("GET", "/none"), ("PUT", "/health")):
            fresh = nobody.request(method, path).headers["X-Request-ID"]
            assert re.fullmatch("[0-9a-f]{16}", fresh)
            mine = nobody.request(method, path, headers={"X-Request-ID": "mine-1"})
            assert mine.headers["X-Request-ID"] == "mine-1"


def test_it_logs_the_route_and_never_the_token(service, http):
    http.get("/claims/some-id", headers={"X-Request-ID": "find-me"})
    with service.client(token="wrong-secret") as stranger:
        assert stranger.get("/claims").status_code == 401
    line = next(line for line in service.output().splitlines() if "find-me" in line)
    assert re.search(r" INFO coord\.access http_request GET /claims/\{claim_id\} 404 [\d.]+ms find-me$", line)
    said = service.output()
    assert "wrong-secret" not in said
    assert said.count(service.token) == 1, "only the line that tells the operator"


def test_what_the_service_says_of_itself(service):
    with service.client(token="") as nobody:
        health = nobody.get("/health")
        assert (health.text, health.headers["Content-Type"]) == ("ok", "text/plain; charset=utf-8")
        ready = nobody.get("/readyz").json()
        assert set(ready) == {"status", "version", "auth_mode"}
        assert (ready["status"], ready["auth_mode"]) == ("ready", "bearer")
        meta = nobody.get("/meta").json()
        assert meta == {
            "name": "multi-agent-coordination",
            "version": ready["version"],
            "auth_mode": "bearer",
            "repo_root_configured": False,
        }
        assert nobody.get("/openapi.json").json()["info"]["title"] == "Multi-Agent Coordination"


def test_metrics_have_known_names_and_bounded_labels(service, http):
    for number in range(30):
        http.get(f"/no/such/{number}")
        http.get(f"/claims/unknown-{number}")
        http.request(f"ODD{number}", "/claims")
    http.post("/claims", json={**CLAIM, "repo": "org/metrics"})
    with service.client(token="") as nobody:
        page = nobody.get("/metrics")
    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = page.text
    for name, kind in {
        "claims_created_total": "counter",
        "claims_conflicts_total": "counter",
        "claims_released_total": "counter",
        "auth_failures_total": "counter",
        "http_requests_total": "counter",
        "build_info": "gauge",
        "http_request_duration_seconds": "histogram",
        "queue_wait_seconds": "histogram",
    }.items():
        assert f"# TYPE {name} {kind}\n" in text
        assert f"# HELP {name} " in text
    assert 'claims_created_total{severity="soft"} ' in text
    assert 'http_requests_total{method="GET",path="<unmatched>",status="404"}' in text
    assert 'http_requests_total{method="GET",path="/claims/{claim_id}",status="404"}' in text
    assert 'http_requests_total{method="OTHER",path="/claims",status="405"}' in text
    assert 'http_request_duration_seconds_bucket{le="+Inf",method="POST",path="/claims"}' in text
    assert "unknown-" not in text
    assert "/no/such" not in text
    assert "ODD" not in text


def test_many_at_once_are_all_answered(service):
    """More connections than any queue of the system's default length holds."""
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=service.url, timeout=60, verify=tls(), limits=limits) as client:
        sockets = [socket.create_connection(("127.0.0.1", service.port), timeout=20) for _ in range(300)]
        for connection in sockets:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for connection in sockets:
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
            connection.close()
        assert client.get("/health").text == "ok"


def test_a_retry_while_the_first_call_waits_is_told_to_come_back(service, http):
    """The key is in flight: the retry stands in no second line, and gets the grant when there is one."""
    held = http.post("/claims", json={**CLAIM, "repo": "org/flight"}).json()
    body = {**CLAIM, "engineer": "bob", "repo": "org/flight", "wait_seconds": 60}
    key = {"Idempotency-Key": "flight-1"}
    with service.client() as waiter, ThreadPoolExecutor(1) as pool:
        first = pool.submit(waiter.post, "/claims", json=body, headers=key)
        queue = "/requests?queued=true&repo=org/flight"
        wait_for(lambda: http.get(queue).json()["count"], "bob is in line")
        retry = http.post("/claims", json=body, headers=key)
        assert (retry.status_code, retry.json()["code"]) == (409, "in_flight")
        assert retry.headers["Retry-After"] == "2"
        assert retry.json()["retryable"] is True
        assert http.get(queue).json()["count"] == 1
        http.delete(f"/claims/{held['claim_ids'][0]}")
        granted = first.result(30)
    assert granted.status_code == 200
    assert http.post("/claims", json=body, headers=key).json() == granted.json()
