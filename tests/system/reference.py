"""The reference, release 0.27.1, in a virtual environment of its own: made once, kept below ``build/``.

``python -m tests.system.reference FILE`` runs its service on a new database, fills it through its API and
writes the database as SQL text: ``tests/coordsite/reference/0.27.1.sql`` was made so.
"""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from .service import clean_environ, free_port, is_ready, tls, wait_for

VERSION = "0.27.1"
HOME = Path(__file__).parents[2] / "build" / f"reference-{VERSION}"
REQUIREMENTS = [f"coord-mcp-server=={VERSION}", "mcp<2", "packaging"]
OWNERS = """modules:
  shared:
    paths: ["CHANGES.md"]
    owners: [dave]
    severity: hard
"""


def reference() -> Path:
    """The environment's ``bin`` directory. The first of several processes makes it, the others wait."""
    HOME.parent.mkdir(exist_ok=True)
    with HOME.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (HOME / "installed").exists():
            venv.create(HOME, clear=True, with_pip=True)
            command = [HOME / "bin" / "python", "-m", "pip", "install", "--quiet", *REQUIREMENTS]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            assert made.returncode == 0, made.stderr
            (HOME / "installed").touch()
    return HOME / "bin"


@contextmanager
def running(database: Path) -> Iterator[httpx.Client]:
    """The reference's service on a database; a client of it. Its webhooks go to a port nobody listens on."""
    port = free_port()
    environ = clean_environ(
        COORD_DATABASE_PATH=str(database),
        COORD_HOST="127.0.0.1",
        COORD_PORT=str(port),
        COORD_AUTH_TOKEN="reference",
        COORD_WEBHOOK_URL="http://127.0.0.1:9/hook",
        COORD_WEBHOOK_SECRET="hush",
        COORD_WEBHOOK_RETRY_BACKOFF_SEC="3600",
        COORD_WEBHOOK_DELIVERY_INTERVAL_SEC="3600",
    )
    process = subprocess.Popen(
        [reference() / "coord-api"], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": "Bearer reference"}
    with httpx.Client(base_url=url, headers=headers, timeout=30, verify=tls()) as client:
        try:
            wait_for(lambda: is_ready(url), "the reference is ready")
            yield client
        finally:
            process.terminate()
            process.wait(30)


def fill(client: httpx.Client) -> None:
    """Claims of every kind, negotiations in every state, a queue, rules: what a week of work leaves."""

    def claim(engineer: str, pattern: str, repo: str | None = "org/app", **fields: Any) -> str:
        item = {"type": fields.pop("type", "file"), "pattern": pattern}
        item |= {name: fields.pop(name) for name in ("symbols", "narrowable") if name in fields}
        body = {"engineer": engineer, "claims": [item], "repo": repo, **fields}
        answer = client.post("/claims", json=body)
        assert answer.status_code == 200, answer.text
        ids: list[str] = answer.json()["claim_ids"]
        return ids[0]

    def ask(claim_id: str, requester: str, **fields: Any) -> str:
        body = {"claim_id": claim_id, "requester": requester, "wait_seconds": 0, **fields}
        return str(client.post("/requests", json=body).json()["id"])

    def answer(request_id: str, decision: str, **fields: Any) -> None:
        response = client.post(f"/requests/{request_id}/respond", json={"decision": decision, **fields})
        assert response.status_code == 200, response.text

    client.post("/config/ownership", content=OWNERS, headers={"Content-Type": "text/yaml"}).raise_for_status()
    auth = claim("alice", "src/auth/**", session_id="sa", branch="topic", description="login")
    claim("bob", "src/auth/x.py", session_id="sb", symbols=["K::m", "f"])
    claim("carol", "src/auth/x.py", session_id="sc", symbols=["g"])
    claim("dave", "CHANGES.md", type="shared_file")
    claim("dave", "docs/**", type="module", repo=None, ttl_hours=100000)
    # The next two overlap; the reference does not see it.
    claim("erin", "lib/*/a.py", session_id="se")
    claim("frank", "lib/b/*.py", session_id="sf")
    claim("erin", "bad repo/x.py", repo="not a repo!")
    denied = ask(auth, "bob", session_id="sb", reason="one line", requested_scope="src/auth/y.py")
    answer(denied, "denied", engineer="alice", session_id="sa", note="busy")
    ask(auth, "carol", session_id="sc", reason="two lines", urgency="high")
    tools = claim("alice", "tools/**", session_id="sa")
    shared = ask(tools, "bob", session_id="sb")
    answer(shared, "coexist", engineer="alice", session_id="sa", coexist_pattern="tools/build.py")
    gone = claim("alice", "old.py", session_id="sa")
    ask(gone, "bob")
    client.delete(f"/claims/{gone}")
    client.post("/claims", json=_queued("grace", "docs/x.md"), timeout=30)
    waiter = threading.Thread(target=lambda: _wait(client), daemon=True)
    waiter.start()
    wait_for(lambda: client.get("/requests", params={"queued": "true"}).json()["count"], "a place in line")


def _queued(engineer: str, pattern: str) -> dict[str, Any]:
    return {"engineer": engineer, "claims": [{"type": "file", "pattern": pattern}], "repo": "org/app"}


def _wait(client: httpx.Client) -> None:
    body = {**_queued("heidi", "docs/x.md"), "wait_seconds": 3}
    httpx.post(f"{client.base_url}/claims", json=body, headers=dict(client.headers), timeout=30)


def main(target: Path) -> None:
    """Write a filled database as SQL."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "reference.db"
        with running(path) as client:
            fill(client)
            with closing(sqlite3.connect(path)) as database:
                text = "\n".join(database.iterdump()) + "\n"
    target.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
