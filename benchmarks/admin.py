"""Milliseconds per list of records in admin: ``python -m benchmarks.admin --rows 100000``."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

LISTS = (
    "claims/claim/",
    "claims/claim/?state=all",
    "claims/claim/?state=all&q=src/m77",
    "claims/holdingsession/",
    "claims/repository/",
    "queueing/ticket/?state=all",
    "ownership/contention/",
    "webhooks/event/",
    "webhooks/event/?q=org/app",
    "webhooks/delivery/",
)
MOST_LIVE = 10_000


def main() -> None:
    """Fill an empty database, then open every list a few times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="coord-bench-") as home:
        os.environ["COORD_DATABASE_PATH"] = str(Path(home) / "coordination.db")
        os.environ["COORD_LOG_LEVEL"] = "warning"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        fill(rows)
        show()


def fill(rows: int) -> None:
    """Claims (some live), tickets, refused attempts, events and deliveries."""
    from claims.models import Claim, Repository
    from common import clock
    from common.caller import SYSTEM
    from ownership.models import Contention
    from queueing.models import Ticket
    from webhooks.models import Delivery, Event
    from webhooks.services import create_endpoint

    now = clock.now()
    repository = Repository.objects.create(name="org/app", created_at=now, counter=rows)
    endpoint = create_endpoint(caller=SYSTEM, url="http://127.0.0.1:9/")

    def made(n: int) -> Any:
        return now - timedelta(days=n * 30 / rows)

    def ended(n: int) -> dict[str, Any]:
        return {} if n < MOST_LIVE else {"released_at": made(n), "end_reason": "released"}

    add(
        Claim,
        rows,
        lambda n: Claim(
            repository=repository,
            engineer=f"e{n % 200}",
            session_id=f"session-{n % 1000}",
            pattern=f"src/m{n % 97}/f{n}.py",
            prefix=f"src/m{n % 97}/f{n}.py",
            tail=".py",
            fence=n + 1,
            created_at=made(n),
            expires_at=now + timedelta(hours=4),
            last_activity=now,
            **ended(n),
        ),
    )
    add(
        Ticket,
        rows // 10,
        lambda n: Ticket(
            repo="org/app",
            place=rows + n,
            engineer=f"e{n % 200}",
            caller="shared-token",
            state="granted",
            request={"items": [{"pattern": f"src/m{n}.py"}]},
            enqueued_at=made(n),
            alive_until=now,
            expires_at=now,
            ended_at=now,
        ),
    )
    add(
        Contention,
        rows,
        lambda n: Contention(
            request_uid=str(uuid.uuid4()),
            repo="org/app",
            pattern=f"src/m{n % 97}/f{n % 997}.py",
            attempted_by=f"e{n % 200}",
            claim_id=str(uuid.uuid4()),
            holder_engineer=f"e{n % 7}",
            holder_pattern="src/**",
            created_at=made(n),
        ),
    )
    add(
        Event,
        rows,
        lambda n: Event(
            event_type="claim_granted",
            repo="org/app",
            actor_engineer=f"e{n % 200}",
            detail={},
            created_at=made(rows - n),
        ),
    )
    first = Event.objects.order_by("seq").values_list("seq", flat=True)[0]
    add(
        Delivery,
        rows,
        lambda n: Delivery(
            endpoint=endpoint, event_id=first + n, status="delivered", next_attempt_at=now, created_at=made(n)
        ),
    )


def add(model: Any, rows: int, make: Any) -> None:
    """Insert so many rows."""
    for start in range(0, rows, 5000):
        model.objects.bulk_create([make(n) for n in range(start, min(rows, start + 5000))], batch_size=500)


def show() -> None:
    """The table."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("olga"))
    for path in LISTS:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            answer = client.get(f"/admin/{path}", headers={"host": "localhost"})
            times.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code}")
        print(f"{path:<40} {statistics.median(times):8.1f} ms")


if __name__ == "__main__":
    main()
