"""Time the dashboard on a full database: 10,000 live claims and 100,000 refused attempts.

    python benchmarks/dashboard.py [--claims 10000] [--conflicts 100000] [--rounds 20]

Makes a SQLite database in a temporary directory, fills it, and asks for the page as an operator would,
through the whole middleware. Prints milliseconds and the number of queries.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

REPOS = ("acme/shop", "acme/billing", "acme/web", "acme/infra", "acme/mobile", "")
MODULES = ("src", "app", "lib", "docs", "tests", "infra", "packages")
ENGINEERS = tuple(f"engineer-{n}" for n in range(40))
LIMIT_MS = 150


def fill(claims: int, conflicts: int, seed: int = 1) -> None:
    """Rows as a busy service has them after a month."""
    from claims.models import Claim, Repository, new_id
    from common import clock
    from ownership.models import Contention
    from queueing.models import Ticket

    chance = random.Random(seed)
    now = clock.now()
    repositories = [Repository.objects.create(name=name, created_at=now) for name in REPOS]
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
                repo=chance.choice(REPOS),
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
    """Fill, ask, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--conflicts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {
            "COORD_DATABASE_PATH": f"{place}/coordination.db",
            "COORD_HOME": place,
            "COORD_ALLOW_INSECURE_NO_AUTH": "true",
            "COORD_LOG_LEVEL": "warning",
            "DJANGO_SETTINGS_MODULE": "coordsite.settings",
        }
        import django

        django.setup()
        measure(options.claims, options.conflicts, options.rounds)


def measure(claims: int, conflicts: int, rounds: int) -> None:
    """One first page of a fresh process, then the later ones."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    call_command("migrate", verbosity=0)
    fill(claims, conflicts)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("operator"))
    client.get("/admin/login/")
    taken: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        response: Any = client.get("/dashboard", headers={"host": "localhost"})
        taken.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200, response.status_code
    with CaptureQueriesContext(connection) as queries:
        client.get("/dashboard", headers={"host": "localhost"})
    later = sorted(taken[1:])
    print(f"claims {claims}, conflict rows {conflicts}, page {len(response.content) / 1024:.0f} KiB")
    print(f"first page of the process {taken[0]:.0f} ms (templates are compiled)")
    print(f"later pages: median {statistics.median(later):.0f} ms, worst {later[-1]:.0f} ms")
    print(f"queries {len(queries)}, limit {LIMIT_MS} ms: {'met' if later[-1] < LIMIT_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
