"""From a release at one replica to the answer of the waiter that is parked at another.

``python -m benchmarks.wake --rounds 30``: on PostgreSQL alone (``LISTEN``), and with Valkey beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.engines.servers import Postgres, Valkey
from tests.history.fleet import TOKEN, Fleet

SETTLE_S = 0.3
"""How long a waiter has been parked before the release, in seconds."""


def rounds(fleet: Fleet, count: int) -> list[float]:
    """The times of so many hand-overs, in milliseconds."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    here, there = (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) for port in fleet.ports
    )

    def claim(door: httpx.Client, who: str, repo: str, wait: float) -> dict[str, Any]:
        items = [{"type": "file", "pattern": "a.py"}]
        body = {"engineer": who, "session_id": who, "repo": repo, "claims": items, "wait_seconds": wait}
        answer = door.post("/claims", json=body).raise_for_status()
        return {**answer.json(), "at": time.perf_counter()}

    times = []
    with here, there, ThreadPoolExecutor(1) as pool:
        for number in range(count):
            repo = f"wake/r{number}"
            held = claim(here, "alice", repo, 0)
            waiting = pool.submit(claim, there, "bob", repo, 30)
            time.sleep(SETTLE_S)
            began = time.perf_counter()
            here.post("/claims/release", json={"claim_ids": held["claim_ids"]}).raise_for_status()
            times.append((waiting.result()["at"] - began) * 1000)
    return times


def main() -> int:
    """Measure both ways."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    for name in ("postgres", "postgres+valkey"):
        with contextlib.ExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coord-wake-")))
            variables = {"COORD_DATABASE_URL": stack.enter_context(Postgres()).create("wake")}
            if name.endswith("valkey"):
                variables["COORD_REDIS_URL"] = stack.enter_context(Valkey()).url
            fleet = stack.enter_context(Fleet(place, 2, variables, cluster=False))
            times = sorted(rounds(fleet, given.rounds))
        print(f"{name}: median {statistics.median(times):.1f} ms, worst {times[-1]:.1f} ms of {len(times)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
