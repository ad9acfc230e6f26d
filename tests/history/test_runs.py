"""The promises under faults, two minutes of them: real processes, real servers, and a build that breaks them
on purpose.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.history.clients import Wire
from tests.history.run import Plan, run

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

SECONDS = float(os.environ.get("COORD_TEST_HISTORY_SECONDS", "40"))
SEED = int(os.environ.get("COORD_TEST_HISTORY_SEED", "0")) or random.randrange(1, 1_000_000)


@pytest.mark.long(50)
@pytest.mark.parametrize("engine", ["sqlite", "postgres", "postgres+valkey"])
def test_it_keeps_every_promise_while_everything_fails(engine, tmp_path):
    result = run(Plan(engine, SECONDS, SEED), tmp_path)
    print(result.summary())
    assert not result.problems, "\n".join(result.problems)
    assert result.statuses[200] > 20, "the run was too idle to prove anything"
    assert result.faults, "nothing went wrong"


@pytest.mark.long(20)
def test_it_catches_a_build_without_the_lock(tmp_path):
    careless = {"COORD_TEST_WITHOUT_LOCK": "1"}
    plan = Plan("postgres", 6, SEED, groups=1, wire=Wire(), faults=False, variables=careless)
    result = run(plan, tmp_path)
    assert any("no order explains" in problem for problem in result.problems), result.summary()
