"""kill -9 in the middle of a burst: what was acknowledged is there, nothing is there by half."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections import defaultdict

import httpx
import pytest

from .service import Service, wait_for

ITEMS = 7
CLIENTS = 4


class Burst:
    """Clients that claim batches, one after the other, until their service is gone."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.granted: list[dict] = []
        self.released: list[str] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()

    def _run(self, number: int) -> None:
        turn = 0
        with self.service.client() as client:
            while True:
                turn += 1
                patterns = [f"client-{number}/turn-{turn}/{item}.py" for item in range(ITEMS)]
                body = {
                    "engineer": f"agent-{number}",
                    "repo": "org/burst",
                    "claims": [{"type": "file", "pattern": pattern} for pattern in patterns],
                }
                try:
                    answer = client.post("/claims", json=body)
                    assert answer.status_code == 200, answer.text
                    with self._lock:
                        self.granted.append(answer.json())
                    if turn % 3 == 0:
                        given = answer.json()["claim_ids"]
                        answer = client.post("/claims/release", json={"claim_ids": given})
                        with self._lock:
                            self.released += given if answer.json()["released"] == ITEMS else []
                except httpx.TransportError:
                    return


def told(client: httpx.Client) -> set[str]:
    """The claims that the event log tells of."""
    found: set[str] = set()
    after = 0
    while True:
        page = client.get(f"/events?after={after}&limit=100&type=claim_granted").json()
        found |= {claim["id"] for event in page["events"] for claim in event["detail"]["claims"]}
        if not page["events"]:
            return found
        after = page["next_after"]


@pytest.mark.parametrize("batches", [3, 20])
def test_no_acknowledged_claim_is_lost_and_none_is_half_granted(start_service, batches):
    service = start_service()
    burst = Burst(service)
    burst.start()
    wait_for(lambda: len(burst.granted) >= batches, "the burst runs")
    os.kill(service.web_process(), signal.SIGKILL)
    service.kill()
    burst.join()
    with sqlite3.connect(service.database) as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    with start_service(port=service.port).client() as client:
        kept = {}
        cursor = ""
        while cursor is not None:
            page = client.get(f"/claims?active_only=false&limit=1000&cursor={cursor}").json()
            kept |= {row["id"]: row for row in page["claims"]}
            cursor = page["next_cursor"]
        for answer in burst.granted:
            for claim in answer["claims"]:
                assert kept[claim["id"]]["fence"] == claim["fence"], "an acknowledged claim is lost"
        for claim_id in burst.released:
            assert kept[claim_id]["released_at"], "an acknowledged release is lost"
        by_batch = defaultdict(list)
        for row in kept.values():
            by_batch[row["pattern"].rpartition("/")[0]].append(row)
        for batch, rows in by_batch.items():
            assert len(rows) == ITEMS, f"{batch} is half granted"
            assert len({row["released_at"] is None for row in rows}) == 1, f"{batch} is half released"
        highest = max(row["fence"] for row in kept.values())
        body = {"engineer": "late", "repo": "org/burst", "claims": [{"type": "file", "pattern": "new.py"}]}
        assert client.post("/claims", json=body).json()["claims"][0]["fence"] > highest
        live = next(row for row in kept.values() if row["released_at"] is None)
        again = {**body, "claims": [{"type": "file", "pattern": live["pattern"]}]}
        assert client.post("/claims", json=again).status_code == 409
        assert set(kept) <= told(client), "a claim without its event"
