"""The service as every system test gets it."""

from __future__ import annotations

import httpx

from .service import Service


def test_it_serves_and_knows_its_token(service: Service, http: httpx.Client):
    assert http.get("/health").text == "ok"
    answer = http.post(
        "/claims",
        json={"engineer": "alice", "repo": "org/harness", "claims": [{"type": "file", "pattern": "a.py"}]},
    )
    assert answer.status_code == 200
    assert answer.json()["claims"][0]["pattern"] == "a.py"
    with service.client(token="") as nobody:
        assert nobody.get("/claims").status_code == 401
    assert service.url in service.output()
