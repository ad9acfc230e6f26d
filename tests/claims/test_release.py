"""POST /claims/release: several at once, in one transaction."""

from __future__ import annotations

import pytest

from claims.models import Claim
from webhooks.models import Event


def open_patterns() -> list[str]:
    return sorted(Claim.objects.filter(released_at=None).values_list("pattern", flat=True))


def test_it_releases_what_it_may_and_counts_that(api, clock):
    _, mine = api.claim("alice", "a.py", "b.py", repo="org/app")
    _, other = api.claim("alice", "c.py", repo="org/other")
    _, foreign = api.claim("bob", "d.py", repo="org/app")
    ids = [*mine["claim_ids"], *other["claim_ids"], *foreign["claim_ids"], "nope", mine["claim_ids"][0]]
    assert api.post("/claims/release", {"claim_ids": ids, "engineer": "alice"}) == (200, {"released": 3})
    assert open_patterns() == ["d.py"]
    released = Event.objects.filter(event_type="claim_released")
    assert sorted(event.detail["pattern"] for event in released) == ["a.py", "b.py", "c.py"]


@pytest.mark.parametrize("engineer", [None, ""])
def test_without_engineer_nobody_is_asked_for(api, clock, engineer):
    _, made = api.claim("alice", "a.py")
    body = {"claim_ids": made["claim_ids"], "engineer": engineer}
    assert api.post("/claims/release", body) == (200, {"released": 1})


def test_nothing_to_release_is_no_error(api, clock):
    assert api.post("/claims/release", {"claim_ids": []}) == (200, {"released": 0})
    assert api.post("/claims/release", {"claim_ids": ["nope"]}) == (200, {"released": 0})


def test_one_stale_fence_refuses_the_whole_call(api, clock):
    _, made = api.claim("alice", "a.py", "b.py")
    first, second = made["claim_ids"]
    status, body = api.post(
        "/claims/release", {"claim_ids": [first, second], "fences": {first: 1, second: 99}}
    )
    assert (status, body["code"]) == (409, "stale_fence")
    assert open_patterns() == ["a.py", "b.py"]
    fences = {first: 1, second: 2}
    assert api.post("/claims/release", {"claim_ids": [first, second], "fences": fences})[1] == {"released": 2}


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, ["body", "claim_ids"]),
        ({"claim_ids": None}, ["body", "claim_ids"]),
        ({"claim_ids": "x"}, ["body", "claim_ids"]),
        ({"claim_ids": ["x"] * 5001}, ["body", "claim_ids"]),
        ({"claim_ids": ["x" * 101]}, ["body", "claim_ids", 0]),
        ({"claim_ids": [], "engineer": "e" * 201}, ["body", "engineer"]),
        ({"claim_ids": [], "fences": {"x": "y"}}, ["body", "fences", "x"]),
    ],
)
def test_what_is_out_of_bounds_is_a_422(api, clock, body, loc):
    status, answer = api.post("/claims/release", body)
    assert status == 422
    assert answer["detail"][0]["loc"] == loc


def test_a_thousand_are_released_at_once(api, clock):
    _, made = api.claim("alice", *[f"{number}.py" for number in range(1000)])
    assert api.post("/claims/release", {"claim_ids": made["claim_ids"]}) == (200, {"released": 1000})
    assert open_patterns() == []
    assert Event.objects.filter(event_type="claim_released").count() == 1000


def test_fences_grow_across_release(api, clock):
    fences = []
    for _ in range(5):
        _, made = api.claim("alice", "a.py", repo="org/app")
        fences.append(made["claims"][0]["fence"])
        api.post("/claims/release", {"claim_ids": made["claim_ids"]})
    assert fences == sorted(set(fences))
