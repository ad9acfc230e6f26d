"""Health, readiness, meta, metrics and the documents."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from coordsite import views


@pytest.fixture
def anybody(db, api):
    api.headers = {}
    return api


def test_it_says_ok_without_a_database(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.content == b"ok"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_it_is_ready_and_shows_no_path(anybody):
    status, body = anybody.get("/readyz")
    assert status == 200
    assert body == {"status": "ready", "version": views.service_version(), "auth_mode": "bearer"}


def test_it_is_not_ready_when_the_database_fails(anybody, monkeypatch):
    def fail():
        raise DatabaseError("no such file /secret/place.db")

    monkeypatch.setattr(views, "_unready", fail)
    status, body = anybody.get("/readyz")
    assert status == 503
    assert body["detail"] == "The database does not answer"
    assert body["code"] == "unavailable"
    assert body["retryable"] is True
    assert anybody.last["Retry-After"] == "2"


def test_it_is_not_ready_before_the_migrations(anybody, monkeypatch):
    monkeypatch.setattr(views, "_migrated", False)
    monkeypatch.setattr(views.MigrationExecutor, "migration_plan", lambda *args: ["one"])
    status, body = anybody.get("/readyz")
    assert status == 503
    assert body["detail"] == "The database is not migrated"


def test_it_tells_its_name_and_kind_of_authentication(anybody, config):
    status, body = anybody.get("/meta")
    assert status == 200
    assert body == {
        "name": "multi-agent-coordination",
        "version": views.service_version(),
        "auth_mode": "bearer",
        "repo_root_configured": False,
    }
    config(repo_root="/nowhere")
    assert anybody.get("/meta")[1]["repo_root_configured"] is True


def test_it_counts_by_route_template(anybody):
    anybody.get("/health")
    anybody.get("/no/such/path-1")
    status, text = anybody.get("/metrics")
    assert status == 200
    assert anybody.last["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = text.decode()
    assert 'http_requests_total{method="GET",path="/health",status="200"}' in lines
    assert 'http_requests_total{method="GET",path="<unmatched>",status="404"}' in lines
    assert "path-1" not in lines
    assert f'build_info{{version="{views.service_version()}"}} 1.0' in lines
    for family in (
        "claims_created_total",
        "claims_conflicts_total",
        "claims_released_total",
        "auth_failures_total",
        "http_request_duration_seconds",
        "queue_wait_seconds",
    ):
        assert f"# TYPE {family}" in lines


@pytest.mark.parametrize(
    "path", ["/health", "/readyz", "/meta", "/metrics", "/openapi.json", "/docs", "/redoc"]
)
@pytest.mark.parametrize("method", ["post", "delete"])
def test_it_takes_get_only(anybody, path, method):
    status, body = anybody.call(method, path)
    assert status == 405
    assert body["detail"] == "Method Not Allowed"
    assert anybody.last["Allow"] == "GET"


def test_it_describes_its_api(anybody):
    status, body = anybody.get("/openapi.json")
    assert status == 200
    assert body["openapi"].startswith("3.")
    assert body["info"]["title"] == "Multi-Agent Coordination"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_it_serves_documents_from_its_own_files_only(anybody, path):
    status, page = anybody.get(path)
    assert status == 200
    text = page.decode()
    assert "/openapi.json" in text
    assert "http://" not in text
    assert "https://" not in text
    assert 'src="//' not in text
