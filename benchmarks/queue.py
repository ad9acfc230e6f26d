"""Waiting: how soon a waiter hears, how a line drains, what parked waiters cost.

    python -m benchmarks.queue
    python -m benchmarks.queue --other '/path/to/other/bin/coord-api'

Over HTTP on this machine, each service from an empty SQLite file. ``two processes`` are two servers on one
file: the release reaches one, the waiter is parked at the other (ours only).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.services import OURS, Connection, Service, running, started

SERVER = f"{sys.executable} -m coordsite.server"
SHARED = {"COORD_DISABLE_INSTANCE_LOCK": "true"}
SETTLE_S = 0.3
"""How long a waiter is parked before the release, in seconds."""
START_S = 5.0
"""Time for a started service to come to rest before its cost is measured, in seconds."""
TICKS = os.sysconf("SC_CLK_TCK")
Figures = dict[str, float]


def main() -> None:
    """Measure, print, and write the figures as JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--other", help="command of another service; it is set up by COORD_* variables")
    parser.add_argument("--rounds", type=int, default=30, help="hand-overs per latency figure")
    parser.add_argument("--waiters", type=int, default=50, help="waiters of the line that is drained")
    parser.add_argument("--parked", type=int, default=100, help="waiters whose cost is measured")
    parser.add_argument("--seconds", type=float, default=10, help="time that the cost is measured for")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    figures = {"ours": measure("ours", OURS, options)}
    if options.other:
        figures["other"] = measure("other", options.other, options)
    names = list(dict.fromkeys(name for found in figures.values() for name in found))
    for name in names:
        cells = [f"{found[name]:12.2f}" if name in found else f"{'-':>12}" for found in figures.values()]
        print(f"{name:58}", *cells)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measure(name: str, command: str, options: argparse.Namespace) -> Figures:
    """Every scenario of one service."""
    found: Figures = {}
    with running(name, command, SHARED) as service:
        times = hand_overs(service, service, options.rounds)
        found |= _spread("release to the waiter's answer, one process", times)
        if name == "ours":
            with started("second", SERVER, service.database.parent, SHARED) as second:
                times = hand_overs(service, second, options.rounds)
                found |= _spread("release to the waiter's answer, two processes", times)
    with running(name, command) as service:
        found |= drain(service, options.waiters)
    with running(name, command) as service:
        found |= parked_cost(service, options.parked, options.seconds)
    return found


def hand_overs(here: Service, there: Service, rounds: int) -> list[float]:
    """Milliseconds from sending a release at one to the answer of a waiter at the other."""
    times = []
    with (
        closing(here.connect()) as releasing,
        closing(there.connect()) as waiting,
        ThreadPoolExecutor(1) as pool,
    ):
        for number in range(rounds):
            repo = f"wake/{there.name}{number}"
            held = claim(releasing, "alice", repo)[1]["claim_ids"]
            waiter = pool.submit(_timed_wait, waiting, repo)
            time.sleep(SETTLE_S)
            began = time.perf_counter()
            releasing.call("POST", "/claims/release", {"claim_ids": held, "engineer": "alice"})
            times.append((waiter.result() - began) * 1000)
    return times


def _timed_wait(connection: Connection, repo: str) -> float:
    status, body = claim(connection, "bob", repo, wait_seconds=60)
    if status != 200:
        raise RuntimeError(f"the waiter was not granted: {status} {body}")
    return time.perf_counter()


def drain(service: Service, waiters: int) -> Figures:
    """A line on one file: each releases as soon as it is granted. How long until the last is served."""
    served: list[float] = []

    def wait(name: str) -> None:
        with closing(service.connect()) as connection:
            status, body = claim(connection, name, "drain/app", wait_seconds=120)
            if status == 200:
                served.append(time.perf_counter())
                release = {"claim_ids": body["claim_ids"], "engineer": name}
                connection.call("POST", "/claims/release", release)

    with closing(service.connect()) as holder:
        held = claim(holder, "alice", "drain/app")[1]["claim_ids"]
        with _parked(service, holder, "drain/app", waiters, wait):
            began = time.perf_counter()
            holder.call("POST", "/claims/release", {"claim_ids": held, "engineer": "alice"})
    return {
        f"waiters served, of {waiters}": float(len(served)),
        f"time to drain a line of {waiters} (ms)": (max(served, default=began) - began) * 1000,
    }


def parked_cost(service: Service, waiters: int, seconds: float) -> Figures:
    """What the service's processes use while waiters are parked and nothing happens."""

    def wait(name: str) -> None:
        with closing(service.connect()) as connection:
            claim(connection, name, "parked/app", wait_seconds=600)

    with closing(service.connect()) as holder:
        claim(holder, "alice", "parked/app")
    time.sleep(START_S)
    before = _threads(service.process.pid)
    idle = _share(service.process.pid, seconds)
    with closing(service.connect()) as look, _parked(service, look, "parked/app", waiters, wait):
        time.sleep(1)
        share, threads = _share(service.process.pid, seconds), _threads(service.process.pid)
        with closing(service.connect()) as again:
            began = time.perf_counter()
            again.call("GET", "/health")
            health = (time.perf_counter() - began) * 1000
            while rows := _queued(again, "parked/app"):
                for row in rows:
                    again.call("DELETE", f"/requests/{row['queue_id']}")
    return {
        "CPU with nobody parked (%)": idle,
        f"CPU with {waiters} parked (%)": share,
        f"threads that {waiters} parked waiters take": float(threads - before),
        f"/health with {waiters} parked (ms)": health,
    }


@contextmanager
def _parked(service: Service, look: Connection, repo: str, number: int, wait: Any) -> Iterator[None]:
    """So many waiters, in line one after the other; at the end of the block they are waited for."""
    threads = [threading.Thread(target=wait, args=(f"w{n:03}",)) for n in range(number)]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        end = time.monotonic() + 30
        while len(_queued(look, repo)) < min(count, 100) and time.monotonic() < end:
            time.sleep(0.005)
    yield
    for thread in threads:
        thread.join()


def _queued(connection: Connection, repo: str) -> list[Any]:
    rows: list[Any] = connection.call("GET", f"/requests?queued=true&repo={repo}")[1]["requests"]
    return [row for row in rows if row["state"] == "waiting"]


def claim(connection: Connection, engineer: str, repo: str, **more: Any) -> tuple[int, Any]:
    """One file, for this engineer."""
    items = [{"type": "file", "pattern": "a.py"}]
    body = {"engineer": engineer, "session_id": engineer, "repo": repo, "claims": items, **more}
    return connection.call("POST", "/claims", body)


def _spread(what: str, times: list[float]) -> Figures:
    return {
        f"{what}, median (ms)": statistics.median(times),
        f"{what}, slowest (ms)": max(times),
    }


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in below for each in _tree(int(child)))]


def _cpu(pid: int) -> float:
    """Processor seconds that a tree of processes has used."""
    total = 0
    for each in _tree(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def _share(pid: int, seconds: float) -> float:
    before, began = _cpu(pid), time.perf_counter()
    time.sleep(seconds)
    return 100 * (_cpu(pid) - before) / (time.perf_counter() - began)


def _threads(pid: int) -> int:
    return sum(len(list(Path(f"/proc/{each}/task").iterdir())) for each in _tree(pid))


if __name__ == "__main__":
    main()
