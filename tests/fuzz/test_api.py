"""Inputs made up from the API's own description, right and wrong ones, against the real service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from tests.history.fleet import TOKEN, Fleet

pytestmark = [pytest.mark.system, pytest.mark.timeout(3000), pytest.mark.long(40)]

EXAMPLES = int(os.environ.get("COORD_TEST_FUZZ_EXAMPLES", "6"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LONGEST_WAIT_S = 1
"""No generated call stands in line for longer, in seconds."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("fuzz")
    variables = {"COORD_DATABASE_PATH": str(place / "coord.db")}
    with Fleet(place, 1, variables, cluster=False) as fleet:
        yield f"http://127.0.0.1:{fleet.ports[0]}"


def hurried(case: Any) -> Any:
    """The case, with waits cut short: they are right, and would only take long."""
    for place, names in ((case.body, ("wait_seconds",)), (case.query, ("wait",))):
        if isinstance(place, dict):
            for name in names:
                if isinstance(place.get(name), int | float) and place[name] > LONGEST_WAIT_S:
                    place[name] = LONGEST_WAIT_S
    return case


def test_it_answers_everything_as_described(service):
    """No 5xx, no status that the description does not name, no body that it does not describe."""
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Coord-Session": "fuzz"}
    schema = schemathesis.openapi.from_url(f"{service}/openapi.json")
    asked, problems = 0, []
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def probe(case: Any) -> None:
                nonlocal asked
                asked += 1
                answer = hurried(case).call(base_url=service, headers=headers, timeout=30)
                case.validate_response(answer, checks=CHECKS)

            try:
                probe()
            except Unsatisfiable:
                continue  # nothing can be wrong with this one
            except (BaseExceptionGroup, Exception) as error:
                told = [str(one) for one in getattr(error, "exceptions", [error])]
                problems.append(f"{mode.value} {operation.label}: {told}"[:1500])
    print(f"{asked} calls")
    assert not problems, "\n\n".join(problems)
    assert asked > 100
