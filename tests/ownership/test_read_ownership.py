"""GET /config/ownership."""

from __future__ import annotations

import pytest

from tests.ownership.conftest import RULES


def test_it_answers_204_without_a_document(api):
    status, body = api.get("/config/ownership")
    assert (status, body) == (204, b"")
    assert api.last.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "text", [RULES, RULES.rstrip(), RULES.replace("\n", "\r\n"), "\ufeff# ä 😀\n" + RULES]
)
def test_it_answers_byte_for_byte(api, document, text):
    revision = document(text)
    status, body = api.get("/config/ownership")
    assert (status, body) == (200, text.encode())
    assert api.last.headers["Content-Type"] == "text/yaml; charset=utf-8"
    assert api.last.headers["ETag"] == revision.etag
