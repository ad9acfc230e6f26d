"""Time the dashboard on a full database: 10,000 live claims and 100,000 refused attempts.

    python -m benchmarks.dashboard [--claims 10000] [--conflicts 100000] [--rounds 30] [--queries]

Fills a SQLite database in a temporary directory, serves it, and asks for the page as an operator's browser
does. Prints milliseconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing, suppress
from datetime import timedelta

REPOS = ("acme/shop", "acme/billing", "acme/web", "acme/infra", "acme/mobile", "")
MODULES = ("src", "app", "lib", "docs", "tests", "infra", "packages")
ENGINEERS = tuple(f"engineer-{n}" for n in range(40))
LIMIT_MS = 150
PAUSE_S = 5.0


def fill(claims: int, conflicts: int, seed: int = 1) -> None:
    """Rows as a busy service has them after a month."""
    from claims.models import Claim, Repository, new_id
    from common import clock
    from ownership.models import Contention
    from queueing.models import Ticket

    chance = random.Random(seed)
    now = clock.now()
    repositories = [Repository.objects.create(name=name, counter=claims, created_at=now) for name in REPOS]
    files = [
        f"{chance.choice(MODULES)}/part_{n % 97}/module_{n % 211}/file_{n}.py"
        for n in range(max(claims, 2000))
    ]
    made = []
    for n in range(claims):
        began = now - timedelta(seconds=chance.uniform(0, 86_400))
        engineer = chance.choice(ENGINEERS)
        made.append(
            Claim(
                id=new_id(),
                repository=chance.choice(repositories),
                engineer=engineer,
                session_id=f"session-{engineer}",
                pattern=files[n],
                prefix=files[n],
                tail="py",
                fence=n + 1,
                created_at=began,
                expires_at=now + timedelta(seconds=chance.uniform(600, 14_400)),
                last_activity=now - timedelta(seconds=chance.uniform(0, 900)),
            )
        )
    Claim.objects.bulk_create(made, batch_size=1000)
    hot = [int(chance.paretovariate(1.1)) % len(files) for _ in range(conflicts)]
    Contention.objects.bulk_create(
        [
            Contention(
                request_uid=str(uuid.UUID(int=chance.getrandbits(128))),
                repo=chance.choice(REPOS),
                pattern=files[spot],
                attempted_by=chance.choice(ENGINEERS),
                claim_id=made[spot % len(made)].id,
                holder_engineer=made[spot % len(made)].engineer,
                holder_pattern=files[spot],
                resolution=chance.choice(("", "", "waited", "granted_later", "gave_up")),
                created_at=now - timedelta(seconds=chance.uniform(0, 30 * 86_400)),
            )
            for spot in hot
        ],
        batch_size=1000,
    )
    Ticket.objects.bulk_create(
        [
            Ticket(
                repo=made[n].repository.name,
                place=10_000_000 + n,
                engineer=chance.choice(ENGINEERS),
                session_id=f"waiting-{n}",
                caller="shared-token",
                request={
                    "branch": None,
                    "description": None,
                    "ttl_hours": None,
                    "items": [
                        {"type": "file", "pattern": made[n].pattern, "symbols": None, "narrowable": None}
                    ],
                },
                enqueued_at=now - timedelta(seconds=30),
                alive_until=now + timedelta(hours=1),
                expires_at=now + timedelta(hours=1),
            )
            for n in range(200)
        ]
    )


def main() -> None:
    """Fill, serve, ask, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--conflicts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--queries", action="store_true", help="print each query of a page and its time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        os.environ |= {
            "COORD_DATABASE_PATH": f"{place}/coordination.db",
            "COORD_HOME": place,
            "COORD_SECRET_KEY": "benchmark" * 5,
            "COORD_ALLOW_INSECURE_NO_AUTH": "true",
            "COORD_LOG_LEVEL": "warning",
            "COORD_HOST": "127.0.0.1",
            "COORD_PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "coordsite.settings",
        }
        import django

        django.setup()
        cookie = prepare(options.claims, options.conflicts)
        probe.close()
        server = subprocess.Popen([sys.executable, "-m", "coordsite.server"])
        try:
            measure(port, cookie, options.rounds, server.pid)
        finally:
            server.terminate()
            server.wait(30)
        if options.queries:
            show_queries()


def prepare(claims: int, conflicts: int) -> str:
    """The full database; the session cookie of an operator."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    fill(claims, conflicts)
    print(f"{claims} claims, {conflicts} conflict rows")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return str(client.cookies["coord_session"].value)


def measure(port: int, cookie: str, rounds: int, server: int) -> None:
    """The first page of a fresh process as an operator opens it, a few seconds after its start; then pages
    after a change, which are drawn anew, and pages that nothing came before. Each over its own connection.
    """
    wait_until_ready(port)
    time.sleep(PAUSE_S)
    began = worked(server)
    first, size = timed(port, cookie)
    used = worked(server) - began
    print(f"page {size / 1024:.0f} KiB; limit {LIMIT_MS} ms")
    print(f"first of the process: {first:.0f} ms, processor time {used:.0f} ms")
    changed, same, spent = [], [], []
    for number in range(rounds):
        claim(port, number)
        began = worked(server)
        changed.append(timed(port, cookie)[0])
        spent.append(worked(server) - began)
        same.append(timed(port, cookie)[0])
        time.sleep(0.1)
    for name, taken in (("after a change", changed), ("again within a second", same)):
        print(f"{name}: median {statistics.median(taken):.0f} ms, worst {max(taken):.0f} ms")
    print(
        f"processor time of a page after a change, with counting beside it: {statistics.fmean(spent):.0f} ms"
    )


def worked(process: int) -> float:
    """Milliseconds of processor time a process has used on all threads; 0 without /proc."""
    with suppress(OSError), open(f"/proc/{process}/stat") as stat:
        user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")
    return 0.0


def timed(port: int, cookie: str) -> tuple[float, int]:
    """Milliseconds and size of a page."""
    began = time.perf_counter()
    status, size = get(port, "/dashboard", cookie)
    if status != 200:
        raise SystemExit(f"the page answered {status}")
    return (time.perf_counter() - began) * 1000, size


def claim(port: int, number: int) -> None:
    """Claim something new, so that the next page is drawn anew."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        item = {"type": "file", "pattern": f"new/file_{number}.py"}
        body = {"engineer": "alice", "repo": REPOS[0], "claims": [item]}
        connection.request("POST", "/claims", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status not in (200, 201):
            raise SystemExit(f"a claim was answered {answer.status}: {answer.read()[:500]!r}")


def get(port: int, path: str, cookie: str) -> tuple[int, int]:
    """Status and size of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        connection.request("GET", path, headers={"Cookie": f"coord_session={cookie}"})
        answer = connection.getresponse()
        return answer.status, len(answer.read())


def wait_until_ready(port: int) -> None:
    """Until the service answers, at most half a minute."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if get(port, "/readyz", "")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not become ready")


def show_queries() -> None:
    """What a page asks of the database, in this process, the slow counts of the history included."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from common.filters import Filter
    from coordsite.dashboard import rendering

    rendering.draw(Filter(), rendering.PERMISSIONS)
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        rendering.draw(Filter(), rendering.PERMISSIONS)
    print(f"{len(queries)} queries, {(time.perf_counter() - began) * 1000:.0f} ms altogether")
    for query in queries:
        print(f"{float(query['time']) * 1000:7.1f} ms  {query['sql'][:160]}")


if __name__ == "__main__":
    main()
