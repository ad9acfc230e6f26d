"""POST /conflicts/batch: the check, for up to 5,000 patterns."""

from __future__ import annotations

import pytest

from webhooks.models import Event


def batch(api, patterns: list[str], **fields: object) -> tuple[int, dict]:
    return api.post("/conflicts/batch", {"engineer": "bob", "patterns": patterns, **fields})


def test_it_is_the_check_of_each_pattern(api, clock):
    api.claim("alice", "src/**", "docs/a.md", repo="org/app")
    status, body = batch(api, ["src/a.py", "free.py", "docs/**"], repo="org/app")
    assert status == 200
    assert [entry["your_pattern"] for entry in body["conflicts"]] == ["src/a.py", "docs/**"]
    query = "&".join(f"pattern={pattern}" for pattern in ("src/a.py", "free.py", "docs/**"))
    assert body == api.get(f"/conflicts?engineer=bob&repo=org/app&{query}")[1]


def test_sessions_exclude_their_own(api, clock):
    api.claim("alice", "a.py", session_id="s1")
    assert batch(api, ["a.py"], engineer="alice", session_ids=["s9", "s1"])[1]["safe"] is True
    assert batch(api, ["a.py"], engineer="alice", session_ids=["s9"])[1]["safe"] is False


def test_five_thousand_patterns_are_decided_and_nothing_is_written(api, clock):
    api.claim("alice", *[f"src/{number}.py" for number in range(0, 1000, 10)])
    before = Event.objects.count()
    status, body = batch(api, [f"src/{number}.py" for number in range(5000)])
    assert status == 200
    assert [entry["pattern"] for entry in body["conflicts"]] == [f"src/{n}.py" for n in range(0, 1000, 10)]
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"patterns": ["x"] * 5001}, ["body", "patterns"]),
        ({"patterns": ["p" * 1025]}, ["body", "patterns", 0]),
        ({"patterns": "a.py"}, ["body", "patterns"]),
        ({"patterns": ["a"], "engineer": "e" * 201}, ["body", "engineer"]),
        ({"patterns": ["a"], "session_ids": ["s"] * 1001}, ["body", "session_ids"]),
    ],
)
def test_what_is_out_of_bounds_is_a_422(api, clock, fields, loc):
    status, body = api.post("/conflicts/batch", {"engineer": "bob", **fields})
    assert status == 422
    assert body["detail"][0]["loc"] == loc


@pytest.mark.parametrize("fields", [{}, {"patterns": []}, {"patterns": [""]}, {"patterns": ["ok", "!no"]}])
def test_nothing_to_check_is_a_400(api, clock, fields):
    assert api.post("/conflicts/batch", {"engineer": "bob", **fields})[0] == 400


def test_it_needs_an_engineer(api, clock):
    assert api.post("/conflicts/batch", {"patterns": ["a.py"]})[0] == 422
