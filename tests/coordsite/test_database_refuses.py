"""A database that does not answer is the service's trouble, not a bug: 503, and worth a retry."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError

from claims.api.views import checks


@pytest.mark.parametrize(
    "error", [OperationalError("server closed the connection"), InterfaceError("closed")]
)
def test_it_answers_503_that_says_to_send_it_again(api, monkeypatch, error):
    def refuse(check):
        raise error

    monkeypatch.setattr(checks, "check_conflicts", refuse)
    status, body = api.get("/conflicts?engineer=alice&pattern=a.py")
    assert status == 503
    assert (body["code"], body["retryable"], body["retry_after_s"]) == ("unavailable", True, 2)
    assert "closed" not in str(body)
    assert api.last["Retry-After"] == "2"
