"""Load: many agents at once on one service, and whether its promises hold meanwhile.

``python -m benchmarks.load --agents 200 --seconds 60 --engine sqlite``: 70 % checks, 15 % claims, 15 %
releases. ``--parked 2000 --sockets 500`` holds that many long polls and websockets meanwhile,
``--claims 100000`` begins with that many live claims, ``--replicas 3`` spreads the agents over replicas
(PostgreSQL). Prints throughput, p50, p99, errors, violations and memory over time; the exit code is 1 when
anything but time is wrong. A run of five minutes or more is also wrong when its memory grows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.engines.servers import Postgres, Valkey
from tests.history.fleet import TOKEN, Fleet
from tests.system.service import tls

REPO = "load/app"
WAITERS = "waiters"
LEAK_AFTER_S = 300.0
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(slots=True)
class Tally:
    """What the agents saw."""

    times: dict[str, list[float]] = field(default_factory=lambda: {"check": [], "claim": [], "release": []})
    errors: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    fence: dict[str, int] = field(default_factory=dict)
    refused: int = 0

    def note(self, what: str, began: float, answer: httpx.Response) -> bool:
        """Count an answer; whether it is one that can be used."""
        self.times[what].append(time.perf_counter() - began)
        if answer.status_code >= 500:
            self.errors.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return answer.status_code < 500


class Agent:
    """One session with a connection of its own."""

    def __init__(self, number: int, port: int, files: int, tally: Tally) -> None:
        self.name, self.tally, self.files = f"agent{number}", tally, files
        self.dice = random.Random(number)
        self.http = client(port)
        self.mine: dict[str, str] = {}

    async def work(self, until: float) -> None:
        """Check, claim and release until the time is up; then give everything back."""
        async with self.http:
            while time.perf_counter() < until:
                dice = self.dice.random()
                path = f"src/m{self.dice.randrange(self.files // 20)}/f{self.dice.randrange(20)}.py"
                if dice < 0.70:
                    await self.check(path)
                elif dice < 0.85 or not self.mine:
                    await self.claim(path)
                else:
                    await self.release(self.dice.choice(sorted(self.mine)))
            for path in list(self.mine):
                await self.release(path)

    async def check(self, path: str) -> None:
        """Would it be granted?"""
        began = time.perf_counter()
        query = {"engineer": self.name, "session_id": self.name, "repo": REPO, "pattern": path}
        self.tally.note("check", began, await self.http.get("/conflicts", params=query))

    async def claim(self, path: str) -> None:
        """Ask for it. Whoever is granted what another was told to hold, and has not begun to release, is one
        too many.
        """
        began = time.perf_counter()
        body = {"engineer": self.name, "session_id": self.name, "repo": REPO}
        answer = await self.http.post("/claims", json={**body, "claims": [{"type": "file", "pattern": path}]})
        if not self.tally.note("claim", began, answer):
            return
        if answer.status_code != 200:
            self.tally.refused += 1
            return
        [claim] = answer.json()["claims"]
        holder = self.tally.held.get(path)
        if holder not in (None, self.name):
            self.tally.violations.append(f"{path} was granted to {self.name} while {holder} held it")
        if claim["fence"] <= self.tally.fence.get(path, 0) and path not in self.mine:
            self.tally.violations.append(f"the fence of {path} did not grow")
        self.tally.held[path] = self.name
        self.tally.fence[path] = claim["fence"]
        self.mine[path] = claim["id"]

    async def release(self, path: str) -> None:
        """Give it back; from the moment of asking on it may be another's."""
        claim_id = self.mine.pop(path)
        del self.tally.held[path]
        began = time.perf_counter()
        answer = await self.http.post(
            "/claims/release", json={"claim_ids": [claim_id], "engineer": self.name}
        )
        if self.tally.note("release", began, answer) and answer.json() != {"released": 1}:
            self.tally.violations.append(f"{self.name} could not release {path}: {answer.text[:200]}")


async def park(number: int, port: int, done: asyncio.Event) -> None:
    """A long poll for what nobody gives up, until the run is over."""
    async with client(port, 700) as http:
        body = {
            "engineer": WAITERS,
            "session_id": f"waiter{number}",
            "repo": f"parked/r{number % 50}",
        }
        items = [{"type": "file", "pattern": "held.py"}]
        poll = asyncio.ensure_future(
            http.post("/claims", json={**body, "claims": items, "wait_seconds": 600})
        )
        await done.wait()
        poll.cancel()


async def all_parked(port: int, number: int) -> None:
    """Wait until so many stand in line: their coming is not what is measured."""
    async with client(port, 600) as http:
        while number:
            answer = await http.get("/claims", params={"limit": 1}, headers={"X-Coord-Engineer": WAITERS})
            if int(answer.headers["X-Coord-Queue-Depth"]) >= number:
                return
            await asyncio.sleep(0.5)


async def listen(port: int, done: asyncio.Event, tally: Tally) -> None:
    """A websocket that follows the events and answers pings: as little of the protocol as that takes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        f"GET /ws/events?repo={REPO} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        f"Authorization: Bearer {TOKEN}",
    ]
    writer.write("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in head.splitlines()[0]:
        tally.errors.append(f"websocket: {head[:100]!r}")
        return
    reading = asyncio.ensure_future(_follow(reader, writer))
    await done.wait()
    if reading.done():
        tally.errors.append("a websocket ended early")
    reading.cancel()
    writer.close()


async def _follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read frames until the server closes."""
    while True:
        kind, size = await reader.readexactly(2)
        if size in (126, 127):
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
        content = await reader.readexactly(size)
        if kind & 0x0F == 0x8:
            return
        if kind & 0x0F == 0x9:
            writer.write(bytes((0x8A, 0x80 | len(content), 0, 0, 0, 0)) + content)


async def fill(port: int, claims: int) -> None:
    """Live claims to begin with, in bulk."""
    async with client(port, 600) as http:
        for start in range(0, claims, 500):
            items = [
                {"type": "file", "pattern": f"bulk/{n // 1000}/{n}.py"}
                for n in range(start, min(claims, start + 500))
            ]
            body = {"engineer": "bulk", "repo": REPO, "claims": items}
            (await http.post("/claims", json=body)).raise_for_status()


def client(port: int, timeout: float = 60) -> httpx.AsyncClient:
    """A client of one replica."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=timeout, verify=tls()
    )


def memory_mib(fleet: Fleet) -> float:
    """Resident memory of the web processes."""
    pages = [
        int(Path(f"/proc/{replica.process.pid}/statm").read_text().split()[1])
        for replica in fleet.replicas
        if replica.process is not None
    ]
    return sum(pages) * 4096 / 2**20


async def load(given: argparse.Namespace, fleet: Fleet) -> Tally:
    """One run."""
    tally, done = Tally(), asyncio.Event()
    ports = fleet.ports
    if given.claims:
        began = time.perf_counter()
        await fill(ports[0], given.claims)
        print(f"{given.claims} live claims in {time.perf_counter() - began:.1f} s", flush=True)
    async with client(ports[0]) as http:
        for number in range(min(50, given.parked)):
            body = {"engineer": "holder", "repo": f"parked/r{number}"}
            items = [{"type": "file", "pattern": "held.py"}]
            (await http.post("/claims", json={**body, "claims": items})).raise_for_status()
    background = [park(n, ports[n % len(ports)], done) for n in range(given.parked)]
    background += [listen(ports[n % len(ports)], done, tally) for n in range(given.sockets)]
    tasks = [asyncio.ensure_future(work) for work in background]
    began = time.perf_counter()
    await all_parked(ports[0], given.parked)
    if given.parked:
        print(f"{given.parked} stand in line after {time.perf_counter() - began:.1f} s", flush=True)
    until = time.perf_counter() + given.seconds
    sizes = [memory_mib(fleet)]
    agents = [
        asyncio.ensure_future(Agent(n, ports[n % len(ports)], given.files, tally).work(until))
        for n in range(given.agents)
    ]
    while time.perf_counter() < until:
        await asyncio.sleep(max(0.1, given.seconds / 20))
        sizes.append(memory_mib(fleet))
    await asyncio.gather(*agents)
    done.set()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            tally.errors.append(f"background: {result!r}"[:200])
    print("memory of the web processes over time, MiB: " + " ".join(f"{size:.0f}" for size in sizes))
    if leak := leaked(sizes, given.seconds):
        tally.errors.append(leak)
    return tally


def leaked(sizes: Sequence[float], seconds: float) -> str:
    """What is wrong with the memory of a run of five minutes or more; empty when it is flat.

    The last quarter may be above the second by at most five parts in a hundred.
    """
    quarter = len(sizes) // 4
    if seconds < LEAK_AFTER_S or not quarter:
        return ""
    early, late = (statistics.mean(part) for part in (sizes[quarter : 2 * quarter], sizes[-quarter:]))
    return f"memory grew from {early:.0f} to {late:.0f} MiB" if late > early * 1.05 else ""


def report(given: argparse.Namespace, tally: Tally) -> bool:
    """Print the figures; whether nothing was wrong."""
    total = sum(len(times) for times in tally.times.values())
    where = f"{given.engine}, {given.agents} agents, {given.replicas} replicas"
    print(f"{where}: {total / given.seconds:.0f} calls/s")
    for what, times in tally.times.items():
        if len(times) > 1:
            cut = statistics.quantiles(times, n=100)
            print(f"  {what:<8} {len(times):>7}  p50 {cut[49] * 1000:7.1f} ms  p99 {cut[98] * 1000:7.1f} ms")
    print(f"  {tally.refused} claims refused, {len(tally.errors)} errors, {len(tally.violations)} violations")
    for text in (*tally.errors[:5], *tally.violations[:5]):
        print(f"  {text}")
    return not tally.errors and not tally.violations


def main() -> int:
    """Start the servers, load them, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=("sqlite", "postgres", "postgres+valkey"), default="sqlite")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--parked", type=int, default=0)
    parser.add_argument("--sockets", type=int, default=0)
    parser.add_argument("--claims", type=int, default=0)
    parser.add_argument("--replicas", type=int, default=1)
    given = parser.parse_args()
    if given.engine == "sqlite" and given.replicas > 1:
        parser.error("several replicas need --engine postgres")
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coord-load-")))
        variables = {"COORD_DATABASE_PATH": str(place / "coord.db"), "COORD_MAX_QUEUED_PER_PARTY": "0"}
        if given.engine != "sqlite":
            variables["COORD_DATABASE_URL"] = stack.enter_context(Postgres()).create("load")
        if given.engine.endswith("valkey"):
            variables["COORD_REDIS_URL"] = stack.enter_context(Valkey()).url
        fleet = stack.enter_context(Fleet(place, given.replicas, variables))
        return 0 if report(given, asyncio.run(load(given, fleet))) else 1


if __name__ == "__main__":
    sys.exit(main())
