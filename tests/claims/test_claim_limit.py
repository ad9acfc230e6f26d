"""COORD_MAX_CLAIMS_PER_ENGINEER: how many live claims one engineer may hold."""

from __future__ import annotations

import pytest

from claims.models import Claim


@pytest.fixture(autouse=True)
def _limit(config):
    config(max_claims_per_engineer=3, idle_timeout_sec=600)


def test_one_too_many_is_refused_whole(api, clock):
    assert api.claim("alice", "a.py", "b.py", repo="org/app")[0] == 200
    status, body = api.claim("alice", "c.py", "d.py", repo="org/other")
    assert status == 429
    assert body["code"] == "too_many"
    assert body["detail"] == "'alice' holds 2 claims; 2 more would pass the limit of 3."
    assert api.last["Retry-After"] == "60"
    assert body["next"] == "Release claims that are done."
    assert Claim.objects.count() == 2
    assert api.claim("alice", "c.py", repo="org/other")[0] == 200
    assert api.claim("bob", "c.py", "d.py", repo="org/third")[0] == 200


def test_what_is_held_already_is_no_further_claim(api, clock):
    api.claim("alice", "a.py", "b.py", "c.py")
    assert api.claim("alice", "a.py", "b.py")[0] == 200
    assert api.claim("alice", "a.py", "d.py")[0] == 429


@pytest.mark.parametrize("seconds", [600, 3600])
def test_what_has_run_out_is_not_counted_wherever_it_was(api, clock, seconds):
    api.claim("alice", "a.py", "b.py", "c.py", repo="org/app", session_id="sa", ttl_hours=1)
    clock.advance(seconds - 1)
    if seconds == 600:
        assert api.claim("alice", "d.py", repo="org/other")[0] == 429
    clock.advance(1)
    assert api.claim("alice", "d.py", repo="org/other")[0] == 200


def test_released_claims_make_room(api, clock):
    _, made = api.claim("alice", "a.py", "b.py", "c.py")
    api.delete(f"/claims/{made['claim_ids'][0]}")
    assert api.claim("alice", "d.py")[0] == 200
