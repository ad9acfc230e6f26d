"""GET /metrics/hotspots."""

from __future__ import annotations

import pytest


def hotspots(api, query=""):
    status, body = api.get(f"/metrics/hotspots{query}")
    assert status == 200
    return body


def test_it_answers_the_most_refused_patterns(api, refused, clock):
    refused("hot/a.py", times=5)
    clock.advance(60)
    refused("hot/a.py", by="bob")
    refused("hot/b.py", times=5, repo="")
    refused("cold.py", times=4)
    assert hotspots(api) == {
        "hotspots": [
            {
                "repo": "org/app",
                "pattern": "hot/a.py",
                "attempts": 6,
                "distinct_attempters": 2,
                "last_attempt": "2026-11-23T12:01:00Z",
                "suggested_action": "monitor",
            },
            {
                "repo": None,
                "pattern": "hot/b.py",
                "attempts": 5,
                "distinct_attempters": 1,
                "last_attempt": "2026-11-23T12:01:00Z",
                "suggested_action": "monitor",
            },
        ],
        "days": 30,
        "min_attempts": 5,
        "count": 2,
    }


def test_it_counts_requests_not_holders(api, refused):
    """BUG-64."""
    refused("hot/a.py", times=2, holders=3)
    [row] = hotspots(api, "?min_attempts=1")["hotspots"]
    assert row["attempts"] == 2
    assert hotspots(api, "?min_attempts=3")["hotspots"] == []


def test_it_looks_back_as_far_as_asked(api, refused, clock):
    refused("old.py")
    clock.advance(86_400 + 1)
    refused("new.py")
    assert [row["pattern"] for row in hotspots(api, "?min_attempts=1&days=1")["hotspots"]] == ["new.py"]
    assert hotspots(api, "?min_attempts=1&days=2")["count"] == 2


def test_it_orders_by_attempts_then_by_the_last(api, refused, clock):
    refused("a.py", times=2)
    clock.advance(1)
    refused("b.py", times=2)
    refused("c.py", times=3)
    rows = hotspots(api, "?min_attempts=1")["hotspots"]
    assert [row["pattern"] for row in rows] == ["c.py", "b.py", "a.py"]
    assert hotspots(api, "?min_attempts=1&limit=1")["hotspots"] == rows[:1]


def test_it_filters_by_repository(api, refused):
    for repo in ("org/app", "org/other", ""):
        refused("a.py", repo=repo)
    for query, repos in (("&repo=Org/App", ["org/app"]), ("&repo=", [None]), ("&repo=nope", [])):
        assert [row["repo"] for row in hotspots(api, f"?min_attempts=1{query}")["hotspots"]] == repos


@pytest.mark.parametrize(("attempts", "action"), [(1, "monitor"), (2, "shared_file"), (3, "split")])
def test_it_advises_by_the_thresholds(api, refused, config, attempts, action):
    config(hotspot_share_attempts=2, hotspot_split_attempts=3)
    refused("a.py", times=attempts)
    [row] = hotspots(api, "?min_attempts=1")["hotspots"]
    assert row["suggested_action"] == action


@pytest.mark.parametrize("query", ["days=0", "days=91", "min_attempts=0", "limit=201", "limit=x"])
def test_it_refuses_what_is_out_of_range(api, query):
    field = query.split("=")[0]
    status, body = api.get(f"/metrics/hotspots?{query}")
    assert (status, body["detail"][0]["loc"]) == (422, ["query", field])


def test_it_takes_one_query(api, refused, django_assert_num_queries):
    refused("a.py", "b.py", times=3)
    with django_assert_num_queries(1):
        hotspots(api, "?min_attempts=1")
