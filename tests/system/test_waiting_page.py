"""The commands of docs/waiting.md, as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from .service import clean_environ

PAGE = (Path(__file__).parents[2] / "docs" / "waiting.md").read_text()


def run(service: Any, command: str, **variables: str) -> dict[str, Any]:
    environ = clean_environ(**service.client_variables(), **variables)
    done = subprocess.run(["sh", "-c", command], env=environ, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_they_wait_go_on_waiting_and_ask(service, http):
    wait, go_on, ask = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    held = {"engineer": "alice", "repo": "org/app", "claims": [{"type": "file", "pattern": "src/a.py"}]}
    (claim_id,) = http.post("/claims", json=held).json()["claim_ids"]
    assert run(service, wait.replace('"wait_seconds": 60', '"wait_seconds": 1'))["reason"] == "timeout"
    place = run(service, wait.replace('"wait_seconds": 60', '"hold_place_seconds": 60'))
    assert place["position"] == 1
    asked = run(service, ask.replace("60}", "0}"), CLAIM_ID=claim_id)
    assert (asked["decision"], asked["reason"]) == ("pending", "one line in login()")
    http.post(f"/requests/{asked['id']}/respond", json={"decision": "approved", "engineer": "alice"})
    granted = run(service, go_on, QUEUE_ID=place["queue_id"])
    assert granted["claims"][0]["pattern"] == "src/a.py"
