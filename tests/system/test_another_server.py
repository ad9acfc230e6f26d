"""The application under another ASGI server than its own: uvicorn, by setting or by itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from .service import clean_environ, free_port, is_ready, tls, wait_for

ROOT = Path(__file__).resolve().parents[2]


BY_ITSELF = "uvicorn coordsite.asgi:application --port {port}"
BY_SETTING = "coordsite.server"


@pytest.mark.parametrize("command", [BY_ITSELF, BY_SETTING])
def test_it_serves_and_sends_waiters_home_when_it_stops(command, tmp_path, migrated):
    port = free_port()
    variables = {
        "COORD_ASGI_SERVER": "uvicorn",
        "COORD_HOST": "127.0.0.1",
        "COORD_PORT": str(port),
        "COORD_DATABASE_PATH": str(tmp_path / "coord.db"),
        "COORD_HOME": str(tmp_path),
        "COORD_AUTH_TOKEN": "token",
        "COORD_SECRET_KEY": "key",
    }
    shutil.copy(migrated, variables["COORD_DATABASE_PATH"])
    argv = [sys.executable, "-m", *command.format(port=port).split()]
    server = subprocess.Popen(argv, env=clean_environ(**variables), cwd=ROOT)
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": "Bearer token"}
    try:
        with (
            httpx.Client(base_url=url, headers=headers, timeout=60, verify=tls()) as http,
            ThreadPoolExecutor() as pool,
        ):

            def claim(engineer, **fields):
                items = [{"type": "file", "pattern": "a.py"}]
                return http.post("/claims", json={"engineer": engineer, "claims": items, **fields})

            wait_for(lambda: is_ready(url), "uvicorn serves")
            assert claim("alice").status_code == 200
            waiting = pool.submit(claim, "bob", wait_seconds=50)
            wait_for(lambda: http.get("/requests?queued=true").json()["count"] == 1, "bob stands in line")
            server.terminate()
            assert (waiting.result(30).status_code, waiting.result().json()["retryable"]) == (503, True)
        assert server.wait(30) in (0, -15)
    finally:
        server.kill()
        server.wait()
