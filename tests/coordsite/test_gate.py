"""What every request passes: ids, limits, unknown paths, failures, the access log."""

from __future__ import annotations

import json
import logging

import pytest
from django.http import HttpRequest

from coordsite import gate, logs


def test_it_gives_each_answer_an_id(client):
    first, second = client.get("/health"), client.get("/health")
    assert len(first["X-Request-ID"]) == 16
    assert int(first["X-Request-ID"], 16) >= 0
    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_it_echoes_the_callers_id(client):
    assert client.get("/health", headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"


@pytest.mark.parametrize("odd", ["a b", "x" * 129, "é", "a\tb"])
def test_it_replaces_an_odd_id(client, odd):
    assert len(client.get("/health", headers={"X-Request-ID": odd})["X-Request-ID"]) == 16


def test_it_answers_unknown_paths_as_json_with_an_id(client):
    answer = client.get("/nothing")
    assert answer.status_code == 404
    body = answer.json()
    assert body["detail"] == "Not Found"
    assert body["code"] == "not_found"
    assert answer["X-Request-ID"]


def test_it_redirects_a_trailing_slash(client):
    answer = client.post("/health/?a=1&b=2")
    assert answer.status_code == 307
    assert answer["Location"] == "/health?a=1&b=2"


def test_it_never_redirects_to_another_host(client):
    answer = client.get("//evil.example//")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/claims", 2048), ("/claims/release", 2048), ("/config/ownership", 1024), ("/requests", 256)],
)
def test_it_refuses_large_bodies(client, path, limit):
    answer = client.post(path, data=b"x" * (limit * 1024 + 1), content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["detail"] == f"The body is larger than {limit} KiB"
    assert answer.json()["code"] == "too_large"


def test_it_writes_an_access_line(client, caplog):
    with caplog.at_level(logging.INFO, logger="coord.access"):
        client.get("/health", headers={"X-Request-ID": "r1"})
    record = caplog.records[-1]
    line = json.loads(logs.JsonLines().format(record))
    assert line["msg"] == line["event"] == "http_request"
    assert line["logger"] == "coord.access"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health", 200)
    assert line["request_id"] == "r1"
    assert isinstance(line["duration_ms"], float)
    plain = logs.Plain().format(record)
    assert " INFO coord.access http_request GET /health 200 " in plain


def test_it_keeps_a_plain_log_line_on_one_line():
    record = logging.LogRecord("coord", logging.INFO, "f", 1, "one\ntwo", None, None)
    assert "\n" not in logs.Plain().format(record)


def test_it_names_routes_as_the_documents_do():
    assert gate.template_of("claims/<uuid:claim_id>/extend") == "/claims/{claim_id}/extend"
    assert gate.template_of("sessions/<session_id>") == "/sessions/{session_id}"


def test_it_counts_odd_methods_as_one(client):
    client.generic("BREW", "/health")
    text = client.get("/metrics").content.decode()
    assert 'method="OTHER",path="/health",status="405"' in text
    assert "BREW" not in text


def test_it_answers_a_failure_with_an_id_and_no_trace(client, monkeypatch, caplog):
    client.raise_request_exception = False
    monkeypatch.setattr("coordsite.views.auth_mode", lambda: 1 / 0)
    answer = client.get("/meta", headers={"X-Request-ID": "boom-1"})
    assert answer.status_code == 500
    body = answer.json()
    assert body["code"] == "internal"
    assert "boom-1" in body["detail"]
    assert "ZeroDivisionError" not in answer.content.decode()
    assert "ZeroDivisionError" in caplog.text
    assert answer["X-Request-ID"] == "boom-1"
    metrics = client.get("/metrics").content.decode()
    assert 'http_requests_total{method="GET",path="/meta",status="500"}' in metrics


def test_it_does_not_pass_the_gate_twice(rf):
    request: HttpRequest = rf.get("/health")
    assert gate.enter(request) is None
    marked = request.request_id
    answer = gate.Gate(lambda request: gate.problem(404, "x", gate.ErrorCode.NOT_FOUND))(request)
    assert request.request_id == marked
    assert "X-Request-ID" not in answer
