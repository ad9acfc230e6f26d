"""The search for claims that could meet a scope reads an index range, however many claims are live."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims.candidates import Search, holders
from claims.models import Claim, Repository
from common import clock
from patterns import parse

SCOPES = [
    "app.py",
    "src/app.py",
    "lib/core/area/part/file.py",
    "/".join(f"d{n}" for n in range(60)) + "/file.py",
    "lib/core/area/**",
    "lib/a5/**/*.py",
    "Makefile",
]
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}
LIVE = 3000


@pytest.fixture
def busy(db):
    """A repository with many live claims, the planner knowing what there is to know."""
    repository = Repository.objects.create(name="org/app", counter=LIVE, created_at=clock.now())
    Claim.objects.bulk_create(
        Claim(
            engineer=f"e{n % 50}",
            repository=repository,
            pattern=f"lib/a{n % 97}/b{n}.py",
            prefix=f"lib/a{n % 97}/b{n}.py",
            tail=".py",
            fence=n + 1,
            created_at=clock.now(),
            expires_at=clock.now() + timedelta(hours=4),
        )
        for n in range(LIVE)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE claims_claim")
    return repository


@pytest.mark.usefixtures("clock")
def test_it_is_found_by_prefix_or_tail(busy):
    for scope in SCOPES:
        with CaptureQueriesContext(connection) as seen:
            list(holders(Search(busy.id, clock.now()), parse(scope, case_insensitive=False)))
        for query in seen.captured_queries:
            with connection.cursor() as cursor:
                cursor.execute(EXPLAIN[connection.vendor] + query["sql"].replace("%", "%%"), None)
                plan = [str(row[-1]) for row in cursor.fetchall()]
            steps = [step for step in plan if re.search(r"(?i)scan|search", step)]
            used = [name for step in steps for name in re.findall(r"claim_\w+", step)]
            assert used
            assert set(used) <= {"claim_open_prefix", "claim_open_tail"}, (scope, plan)
            assert not [step for step in steps if re.search(r"Seq Scan|SCAN c", step)], (scope, plan)
