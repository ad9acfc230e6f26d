"""GET /claims/{claim_id}: one claim, ended or not."""

from __future__ import annotations

import pytest


def test_it_is_the_row_of_the_listing(api, clock):
    _, made = api.claim("alice", "a.py", repo="org/app", session_id="sa")
    status, row = api.get(f"/claims/{made['claim_ids'][0]}")
    assert status == 200
    assert row == api.get("/claims")[1]["claims"][0]


def test_it_shows_a_claim_that_ended(api, clock):
    _, made = api.claim("alice", "a.py")
    api.delete(f"/claims/{made['claim_ids'][0]}")
    _, row = api.get(f"/claims/{made['claim_ids'][0]}")
    assert (row["released_at"], row["end_reason"]) == ("2026-11-23T12:00:00Z", "released")


@pytest.mark.parametrize("claim_id", ["nope", "00000000-0000-4000-8000-000000000000", "x" * 2000, "%C3%A9"])
def test_an_unknown_id_is_a_404(api, clock, claim_id):
    status, body = api.get(f"/claims/{claim_id}")
    assert status == 404
    assert body["detail"] == "Claim not found"
    assert body["code"] == "not_found"
    assert body["next"]


def test_it_needs_a_token(api, clock):
    api.headers = {}
    assert api.get("/claims/x")[0] == 401
