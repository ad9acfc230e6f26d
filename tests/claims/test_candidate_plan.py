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


def plans(path, **asked):
    """How the engine would run each query of a search."""
    repository = Repository.objects.get()
    with CaptureQueriesContext(connection) as seen:
        list(holders(Search(repository.id, clock.now()), parse(path, case_insensitive=False), **asked))
    for query in seen.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(EXPLAIN[connection.vendor] + query["sql"].replace("%", "%%"), None)
            yield [str(row[-1]) for row in cursor.fetchall()]


@pytest.mark.usefixtures("clock", "busy")
def test_it_is_found_by_prefix_or_tail():
    for scope in SCOPES:
        for plan in plans(scope):
            steps = [step for step in plan if re.search(r"(?i)scan|search", step)]
            used = [name for step in steps for name in re.findall(r"claim_\w+", step)]
            assert used
            assert set(used) <= {"claim_open_prefix", "claim_open_tail"}, (scope, plan)
            assert not [step for step in steps if re.search(r"Seq Scan|SCAN c", step)], (scope, plan)


@pytest.mark.usefixtures("clock", "busy")
def test_file_claims_are_found_without_reading_the_symbol_claims_of_the_file():
    Claim.objects.update(pattern="src/hot.py", prefix="src/hot.py", scope_type=Claim.Scope.SYMBOL)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE claims_claim")
    [plan] = plans("src/hot.py", scope=Claim.Scope.FILE, narrowable=True)
    assert [step for step in plan if re.search(r"scope_type=\?|Index Cond: .*scope_type", step)], plan
