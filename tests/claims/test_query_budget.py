"""What the main calls may cost: database round trips, the transaction's own begin and commit apart."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MARKS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT")


@pytest.fixture
def cost(api):
    """How many queries a call makes; it must have been answered 200."""

    def measured(call):
        with CaptureQueriesContext(connection) as seen:
            status, _ = call()
        assert status == 200
        return [query["sql"][:90] for query in seen if not query["sql"].startswith(MARKS)]

    return measured


@pytest.fixture
def held(api):
    """Alice works already, so that repository and session are known; what she holds."""
    _, body = api.claim("alice", "held.py", repo="org/app", session_id="sa")
    return body["claim_ids"]


def test_a_claim_without_conflict_takes_five_queries(api, held, cost):
    queries = cost(lambda: api.claim("alice", "src/app.py", repo="org/app", session_id="sa"))
    assert len(queries) <= 5, queries


def test_more_items_take_no_more_than_one_search_each(api, held, cost):
    paths = [f"src/{n}.py" for n in range(5)]
    queries = cost(lambda: api.claim("alice", *paths, repo="org/app", session_id="sa"))
    assert len(queries) <= 5 + 4, queries


def test_a_release_takes_four_queries(api, held, cost):
    queries = cost(lambda: api.post("/claims/release", {"claim_ids": held, "engineer": "alice"}))
    assert len(queries) <= 4, queries


def test_a_check_takes_three_queries(api, held, cost):
    queries = cost(lambda: api.get("/conflicts?engineer=bob&repo=org/app&pattern=src/app.py"))
    assert len(queries) <= 3, queries


def test_postgresql_plans_a_statement_that_comes_again_only_once(api, held):
    for path in ("a.py", "b.py", "c.py"):
        assert api.get(f"/conflicts?engineer=bob&repo=org/app&pattern={path}")[0] == 200
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE '%claims_claim%'"
            )
            assert cursor.fetchone()[0] > 0
