"""The service's figures, alone or beside another service with the same API.

    python -m benchmarks.compare
    python -m benchmarks.compare --other other=/path/to/other/bin/coord-api --live 10 1000 10000

Both run on this machine, each from an empty database; for throughput in turn, slice by slice, so that a
machine whose speed varies treats them alike. A ratio says how many times as good ours is. ``--live`` claims
reach another service's SQLite file directly (reference schema), since claiming them one by one would take
it hours.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.services import OURS, Connection, Service, running, started

REPO = "bench/app"
SLICES = 6
Figures = dict[str, float]


def main() -> None:
    """Measure, print, and write the figures as JSON when asked."""
    options = arguments()
    commands = {"ours": OURS, **dict(options.other)}
    figures = throughput(commands, options.seconds)
    for name, command in commands.items():
        figures[name] |= measure(name, command, options)
    show(figures)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--other",
        type=named,
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="another service, set up by COORD_* variables; may be given several times",
    )
    parser.add_argument("--seconds", type=float, default=12, help="time per throughput figure")
    parser.add_argument("--live", type=int, nargs="*", default=[10, 1000, 10_000, 100_000])
    parser.add_argument("--most-other", type=int, default=10_000, help="most live claims for the other")
    parser.add_argument("--files", type=int, default=50_000, help="tracked files of the checkout; 0 skips it")
    parser.add_argument("--json", help="write the figures to this file")
    return parser.parse_args()


def named(text: str) -> tuple[str, str]:
    """A command with the name that the table shows."""
    name, _, command = text.partition("=")
    if not name or not command:
        raise argparse.ArgumentTypeError("write NAME=COMMAND")
    return name, command


def measure(name: str, command: str, options: argparse.Namespace) -> Figures:
    """Every scenario of one service, each from an empty database."""
    ours = name == "ours"
    found: Figures = {}
    found["ready, migrated database (s)"] = ready_again(name, command)
    for live in options.live:
        if not ours and live > options.most_other:
            continue
        with running(name, command) as service:
            fill(service, live, ours=ours)
            found[f"GET /conflicts, {live} live (ms)"] = check(service)
            found[f"claim+release, {live} live (ms)"] = one_pair(service)
            if ours and live == 10_000:
                seconds, worst = thousand_items(service)
                found["POST /claims of 1000 items, 10000 live (s)"] = seconds
                found["  /health meanwhile, slowest (ms)"] = worst
    if options.files:
        with_checkout(name, command, options.files, found)
    return found


def throughput(commands: dict[str, str], seconds: float) -> dict[str, Figures]:
    """Claim+release pairs per second of each service: the median of slices taken in turn."""
    found: dict[str, Figures] = {name: {} for name in commands}
    for clients in (1, 8):
        with ExitStack() as stack:
            services = {name: stack.enter_context(running(name, what)) for name, what in commands.items()}
            slices: dict[str, list[float]] = {name: [] for name in commands}
            for _ in range(SLICES):
                for name, service in services.items():
                    slices[name].append(pairs(service, clients, seconds / SLICES))
        for name, speeds in slices.items():
            found[name][f"claim+release pairs/s, {clients} clients"] = statistics.median(speeds)
    return found


def ready_again(name: str, command: str) -> float:
    """Seconds from the command to a 200 of ``/readyz`` with a database that is migrated already."""
    with tempfile.TemporaryDirectory(prefix="coord-bench-") as home:
        with started(name, command, Path(home)):
            pass
        with started(name, command, Path(home)) as service:
            return service.ready_s


def pairs(service: Service, clients: int, seconds: float) -> float:
    """Claim and release of one file each, pairs per second over all clients."""
    counts = [0] * clients
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        with closing(service.connect()) as connection:
            while time.perf_counter() < end:
                claim_and_release(connection, f"agent-{number}", f"src/m{number}/f{counts[number]}.py")
                counts[number] += 1

    run_together([lambda number=number: client(number) for number in range(clients)])
    return sum(counts) / seconds


def claim_and_release(connection: Connection, engineer: str, path: str) -> None:
    """One pair; fails loudly when it is not granted and released."""
    body = {"engineer": engineer, "repo": REPO, "claims": [{"type": "file", "pattern": path}]}
    status, answer = connection.call("POST", "/claims", body)
    if status != 200:
        raise RuntimeError(f"POST /claims: {status} {answer}")
    ids = {"claim_ids": answer["claim_ids"], "engineer": engineer}
    status, answer = connection.call("POST", "/claims/release", ids)
    if answer != {"released": 1} and answer.get("released") != 1:
        raise RuntimeError(f"POST /claims/release: {status} {answer}")


def check(service: Service) -> float:
    """Median milliseconds of ``GET /conflicts`` for one free path."""
    with closing(service.connect()) as connection:
        return median_ms(
            lambda n: connection.call("GET", f"/conflicts?engineer=me&repo={REPO}&pattern=src/free/{n}.py")
        )


def one_pair(service: Service) -> float:
    """Median milliseconds of a claim and its release."""
    with closing(service.connect()) as connection:
        return median_ms(lambda n: claim_and_release(connection, "me", f"src/free/{n}.py"))


def thousand_items(service: Service) -> tuple[float, float]:
    """Seconds of one claim of 1,000 files, and the slowest ``/health`` in milliseconds meanwhile."""
    done = threading.Event()
    slowest = [0.0]

    def watch() -> None:
        with closing(service.connect()) as connection:
            while not done.is_set():
                began = time.perf_counter()
                connection.call("GET", "/health")
                slowest[0] = max(slowest[0], (time.perf_counter() - began) * 1000)
                time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    items = [{"type": "file", "pattern": f"big/d{n % 20}/f{n}.py"} for n in range(1000)]
    with closing(service.connect()) as connection:
        began = time.perf_counter()
        status, answer = connection.call(
            "POST", "/claims", {"engineer": "big", "repo": REPO, "claims": items}
        )
        seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    if status != 200:
        raise RuntimeError(f"POST /claims of 1000 items: {status} {str(answer)[:300]}")
    return seconds, slowest[0]


def with_checkout(name: str, command: str, files: int, found: Figures) -> None:
    """``GET /conflicts`` with 50 live claims and a checkout of many tracked files."""
    with tempfile.TemporaryDirectory(prefix="coord-bench-tree-") as tree:
        plant(Path(tree), files)
        settings = {"COORD_REPO_ROOT": tree, "COORD_REPO_ID": REPO, "COORD_MAX_CLAIM_FILES": "1000000"}
        with running(name, command, {**settings, "COORD_MAX_CLAIM_RATIO": "1"}) as service:
            fill(service, 50, ours=name == "ours")
            found[f"GET /conflicts, 50 live, {files} tracked files (ms)"] = check(service)


def plant(tree: Path, files: int) -> None:
    """A git repository with that many tracked files: entries of one empty blob."""
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    blob = (
        subprocess.run(
            ["git", "-C", str(tree), "hash-object", "-w", "--stdin"],
            input=b"",
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
    )
    lines = "".join(f"100644 {blob}\tsrc/d{n % 500}/f{n}.py\n" for n in range(files))
    subprocess.run(["git", "-C", str(tree), "update-index", "--index-info"], input=lines.encode(), check=True)


def fill(service: Service, live: int, *, ours: bool) -> None:
    """Let that many claims of other engineers be live: literal files, trees and globs."""
    patterns = [pattern_of(n) for n in range(live)]
    if ours:
        with closing(service.connect()) as connection:
            for start in range(0, live, 1000):
                items = [{"type": "file", "pattern": text} for text in patterns[start : start + 1000]]
                body = {"engineer": f"e{start}", "repo": REPO, "ttl_hours": 100, "claims": items}
                status, answer = connection.call("POST", "/claims", body)
                if status != 200:
                    raise RuntimeError(f"filling: {status} {str(answer)[:300]}")
        return
    now = datetime.now(UTC)
    moment, later = (t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in (now, now + timedelta(hours=100)))
    with closing(sqlite3.connect(service.database, timeout=30)) as database:
        database.executemany(
            "INSERT INTO claims (id, engineer, claim_type, pattern, severity, created_at, expires_at, repo)"
            " VALUES (?, ?, 'file', ?, 'soft', ?, ?, ?)",
            [(str(uuid.uuid4()), f"e{n % 50}", text, moment, later, REPO) for n, text in enumerate(patterns)],
        )
        database.commit()


def pattern_of(number: int) -> str:
    """A scope that overlaps no other: mostly files, some trees, some globs."""
    area = f"lib/a{number % 97}/b{number}"
    return (area + "/**", area + "/*.py")[number % 2] if number % 10 < 2 else area + "/file.py"


def median_ms(call: Callable[[int], Any], *, least: int = 5, most: int = 200, seconds: float = 5) -> float:
    """The median time of a call, after one to warm up."""
    call(0)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or (len(times) < most and time.perf_counter() < end):
        began = time.perf_counter()
        call(len(times) + 1)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def run_together(jobs: Sequence[Callable[[], None]]) -> None:
    """Run each in a thread; the first failure is raised."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def show(figures: dict[str, Figures]) -> None:
    """A table; a ratio above 1 says how many times as good ours is."""
    others = [name for name in figures if name != "ours"]
    heads = ["figure".ljust(52), "ours".rjust(9)]
    heads += [text for name in others for text in (name.rjust(9), "ratio".rjust(7))]
    print(f"| {' | '.join(heads)} |")
    print("|" + "|".join("-" * (len(head) + 1) + ":-"[head[0] != " "] for head in heads) + "|")
    for figure, value in figures["ours"].items():
        cells = [f"{figure:<52}", f"{value:>9.2f}"]
        for name in others:
            theirs = figures[name].get(figure)
            ratio = "" if not theirs else f"{value / theirs if '/s' in figure else theirs / value:.1f}"
            cells += ["".rjust(9) if theirs is None else f"{theirs:>9.2f}", f"{ratio:>7}"]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
