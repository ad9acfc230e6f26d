"""Fixtures that every test may use: a virtual clock, an API client, named actors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pydantic import SecretStr

from claims import checkout
from claims.services import activity
from common import clock as time_source
from common.caller import SYSTEM
from coordsite.tokens.services import create_token
from tests.engines.databases import django_db_setup, empty_file, shared_database

__all__ = ["django_db_setup", "empty_file", "shared_database"]

TOKEN = "test-token"

pytest_plugins = ["tests.engines.order", "tests.system.browser"]


class VirtualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Api:
    """The HTTP API as a client sees it: status and JSON of every call."""

    def __init__(self, token: str | None = TOKEN, **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.headers |= headers
        self.last: Any = None
        self.token: Any = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        send = getattr(self.client, method)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        extra: dict[str, Any] = {"headers": {**self.headers, **named}}
        if method in ("post", "put", "patch"):
            extra |= {"data": json.dumps({} if body is None else body), "content_type": "application/json"}
        self.last = send(path, **extra)
        kind = self.last.headers.get("Content-Type", "")
        return self.last.status_code, self.last.json() if "json" in kind else self.last.content

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return self.call("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self.call("post", path, body, **headers)

    def delete(self, path: str, **headers: str) -> tuple[int, Any]:
        return self.call("delete", path, **headers)

    def claim(self, engineer: str, *patterns: str, **fields: Any) -> tuple[int, Any]:
        """POST /claims for file items."""
        items = [{"type": "file", "pattern": pattern} for pattern in patterns]
        return self.post("/claims", {"engineer": engineer, "claims": items, **fields})


def configure(**changes: Any) -> Any:
    """Settings of the service with these values."""
    return settings.COORD.model_copy(update=changes)


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    activity.forget()
    checkout.forget()
    settings.COORD = settings.COORD.model_copy(update={"auth_token": SecretStr(TOKEN)})


@pytest.fixture
def config(settings: Any) -> Any:
    """Change the service's settings: ``config(idle_timeout_sec=4)``."""

    def change(**values: Any) -> None:
        settings.COORD = settings.COORD.model_copy(update=values)

    return change


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    virtual = VirtualClock()
    with time_source.running(virtual):
        yield virtual


@pytest.fixture
def api(db: None) -> Api:
    return Api()


@pytest.fixture
def person(db: None) -> Any:
    """The API with a personal token: ``person("alice", role="ci", repositories=["org/app"])``."""

    def make(engineer: str, *, session: str | None = None, **fields: Any) -> Api:
        made = create_token(caller=SYSTEM, engineer=engineer, **fields)
        api = Api(made.raw, **({"X-Coord-Session": session} if session else {}))
        api.token = made.token
        return api

    return make
