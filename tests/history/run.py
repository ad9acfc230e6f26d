"""Runs of the history checker: ``python -m tests.history.run --seconds 600 --engine postgres --seed 7``.

Prints its seed first and, when a history has no order, the operations around the point where it breaks; the
whole history goes to a file. The exit code is 1 then.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.engines.servers import Postgres, Valkey
from tests.history.clients import Client, History, Wire
from tests.history.faults import Nemesis
from tests.history.fleet import TOKEN, Fleet
from tests.history.model import check, fences_grow
from tests.history.proxy import Proxy

ENGINES = ("sqlite", "postgres", "postgres+valkey")
LOSSY = Wire(swallow=0.03, duplicate=0.05)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: on what, for how long, with whom, and what goes wrong."""

    engine: str = "sqlite"
    seconds: float = 20
    seed: int = 0
    clients: int = 6
    groups: int = 2
    replicas: int = 3
    wire: Wire = LOSSY
    faults: bool = True
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run. ``problems`` is empty when every promise held."""

    plan: Plan
    problems: list[str]
    ops: int
    lost: int
    faults: list[str]
    statuses: dict[int, int]

    def summary(self) -> str:
        """One line."""
        return (
            f"{self.plan.engine}: {self.ops} operations ({self.lost} lost) in {self.plan.seconds:g} s, seed"
            f" {self.plan.seed}, statuses {dict(sorted(self.statuses.items()))}, faults {self.faults}:"
            f" {'no order' if self.problems else 'linearisable'}"
        )


def run(plan: Plan, place: Path, keep: Path | None = None) -> Result:
    """Start servers and clients, hurt them, stop, judge. A bad history goes to ``keep``, else ``place``."""
    print(f"history: engine {plan.engine}, seed {plan.seed}, {plan.seconds:g} s", flush=True)
    history, stop = History(), threading.Event()
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(Postgres()) if plan.engine != "sqlite" else None
        valkey = stack.enter_context(Valkey()) if plan.engine.endswith("valkey") else None
        variables = {"COORD_IDLE_TIMEOUT_SEC": "0", **plan.variables}
        if postgres is not None:
            variables["COORD_DATABASE_URL"] = postgres.create("coord")
        else:
            variables["COORD_DATABASE_PATH"] = str(place / "coord.db")
        if valkey is not None:
            variables["COORD_REDIS_URL"] = valkey.url
        replicas = plan.replicas if postgres is not None else 1
        fleet = stack.enter_context(Fleet(place, replicas, variables, cluster=plan.faults))
        proxies = [
            stack.enter_context(Proxy(port, plan.wire.swallow, f"{plan.seed}/{number}"))
            for number, port in enumerate(fleet.ports)
        ]
        doors = [proxy.port for proxy in proxies]
        made = (doors, TOKEN, history, plan.wire, plan.seed, plan.groups, stop)
        clients = [Client(number, *made) for number in range(plan.clients)]
        nemesis = Nemesis(fleet, plan.seed, stop, postgres, valkey) if plan.faults else None
        for thread in (*clients, *([nemesis] if nemesis else [])):
            thread.start()
        stop.wait(plan.seconds)
        stop.set()
        for thread in (*clients, *([nemesis] if nemesis else [])):
            thread.join(90)
        if nemesis is not None and nemesis.error is not None:
            raise nemesis.error
        for proxy in proxies:
            proxy.swallow = 0
        _look_once_more(clients, fleet)
    return _judge(plan, history, nemesis.told if nemesis else [], keep or place)


def _look_once_more(clients: list[Client], fleet: Fleet) -> None:
    """With everything healed each party looks at everything: what was done in secret comes out."""
    for replica in fleet.replicas:
        replica.start()
        replica.wait()
    for client in clients:
        client.wire = Wire()
        for pattern in client.patterns:
            end = time.monotonic() + 30
            while not client.check(pattern):
                if time.monotonic() > end:
                    client.history.complain(f"no answer to a check of {pattern} after everything was healed")
                    break
                time.sleep(0.1)
        client.connection.close()


def _judge(plan: Plan, history: History, faults: list[str], keep: Path) -> Result:
    problems = list(history.broken)
    if wrong := fences_grow(history.ops):
        problems.append(wrong)
    try:
        problems += [verdict.explain() for verdict in check(history.ops) if not verdict.linearisable]
    except RuntimeError as undecided:
        problems.append(str(undecided))
    lost = sum(op.lost for op in history.ops)
    if problems:
        kept = keep / f"coord-history-{plan.engine}-{plan.seed}.json"
        kept.write_text(
            json.dumps([dataclasses.asdict(op) for op in history.ops], default=sorted, allow_nan=True)
        )
        problems.append(f"seed {plan.seed}; the whole history is in {kept}")
    return Result(plan, problems, len(history.ops), lost, faults, dict(history.statuses))


def main(arguments: list[str] | None = None) -> int:
    """Run each engine once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: each")
    parser.add_argument("--seconds", type=float, default=300, help="per engine")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--groups", type=int, default=6)
    given = parser.parse_args(arguments)
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    code = 0
    for engine in given.engine or ENGINES:
        plan = Plan(engine, given.seconds, seed, given.clients, given.groups)
        with tempfile.TemporaryDirectory(prefix="coord-history-") as place:
            result = run(plan, Path(place), Path(tempfile.gettempdir()))
        print(result.summary(), flush=True)
        for problem in result.problems:
            print(problem, flush=True)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
