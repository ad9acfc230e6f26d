from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.environment import Settings
from coordsite.bridge.notices import Notices
from coordsite.bridge.service import Service
from coordsite.bridge.tools import BY_NAME

from .clock import Clock
from .fake_service import FakeService, Server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakeService:
    return FakeService(park=clock.advance)


@pytest.fixture
def bridge_settings() -> dict[str, Any]:
    """Settings of the in-process bridge; a test may change them."""
    return {"api_url": "http://coord.test", "repo_id": "org/app", "user": "alice"}


@pytest.fixture
def bridge(fake: FakeService, clock: Clock, bridge_settings: dict[str, Any]) -> Bridge:
    """A bridge in this process, on virtual time."""
    notices = Notices()
    service = Service(
        lambda: Settings(**bridge_settings),
        "SA",
        notices,
        transport=httpx.MockTransport(fake.handle),
        sleep=clock.sleep,
        monotonic=clock.monotonic,
    )
    return Bridge(service, notices, sleep=clock.sleep, monotonic=clock.monotonic)


@pytest.fixture
def call(bridge: Bridge) -> Callable[..., Any]:
    """Call a tool of the in-process bridge; ``call.progress`` collects what it reports."""
    progress: list[tuple[float, float, str]] = []

    async def report(done: float, total: float, message: str) -> None:
        progress.append((done, total, message))

    async def run(name: str, **given: Any) -> dict[str, Any]:
        tool = BY_NAME[name]
        return await tool.run(bridge, tool.takes.model_validate(given), report)

    run.progress = progress  # type: ignore[attr-defined]
    return run


@pytest.fixture
def live() -> Iterator[FakeService]:
    """The fake on a loopback port; ``live.url`` is where."""
    fake = FakeService()
    server = Server(fake)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = server.url  # type: ignore[attr-defined]
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def environ(live: FakeService, **more: str) -> dict[str, str]:
    """What a bridge process gets: nothing of the caller's COORD_* variables."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COORD_")}
    base = {
        "COORD_API_URL": live.url,  # type: ignore[attr-defined]
        "COORD_REPO_ID": "org/app",
        "COORD_HEARTBEAT_SEC": "0",
        "COORD_POLL_SEC": "0",
        "COORD_RETRY_BASE_DELAY": "0.001",
        "PYTHONPATH": str(ROOT),
    }
    return {**kept, **base, **more}


@pytest.fixture
def connect(live: FakeService, tmp_path: Path) -> Callable[..., Any]:
    """A real MCP client on a real ``coord-mcp`` process over stdio."""

    @asynccontextmanager
    async def open_(mode: str = "auto", cwd: Path | None = None, **env: str) -> AsyncIterator[Client]:
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "coordsite.bridge.main"],
            env=environ(live, **env),
            cwd=cwd or tmp_path,
        )
        async with Client(server, mode=mode) as client:
            yield client

    return open_
