"""A list asks the database the same however many rows it shows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.caller import SYSTEM
from coordsite.tokens.services import create_token
from ownership.services import save_document
from webhooks.services import create_endpoint

pytestmark = pytest.mark.django_db

LISTS = (
    "claims/claim/",
    "claims/holdingsession/",
    "claims/releaserequest/",
    "claims/repository/",
    "queueing/ticket/",
    "ownership/revision/",
    "ownership/contention/",
    "webhooks/event/",
    "webhooks/endpoint/",
    "webhooks/delivery/",
    "coordsite/token/",
)


@pytest.fixture
def busy(api):
    """More of everything, ``busy(first, last)``: who holds, waits, asks, is told; tokens and revisions."""

    def fill(first, last):
        for n in range(first, last):
            create_endpoint(caller=SYSTEM, url=f"http://127.0.0.1:9/{n}")
            create_token(caller=SYSTEM, engineer=f"e{n}", role="agent", repositories=[f"org/r{n}"])
            save_document(text=f"modules:\n  m{n}:\n    paths: [src/**]\n", author="ann", reason="")
            _, held = api.claim(f"e{n}", "a.py", repo=f"org/r{n}", session_id=f"session-{n}")
            status, _ = api.claim("bob", "a.py", repo=f"org/r{n}", hold_place_seconds=600)
            assert status == 202
            api.post("/requests", {"claim_id": held["claim_ids"][0], "requester": "bob", "wait_seconds": 0})

    return fill


def test_it_asks_no_more_for_more_rows(olga, busy):
    def queries():
        counted = {}
        for path in LISTS:
            with CaptureQueriesContext(connection) as captured:
                olga.page(path)
            counted[path] = len(captured)
        return counted

    busy(0, 2)
    olga.page("claims/claim/")
    few = queries()
    busy(2, 5)
    assert queries() == few
    assert max(few.values()) <= 16
