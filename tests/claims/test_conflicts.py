"""GET /conflicts: would a claim be granted? Nothing is written."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from claims.models import Claim
from ownership.models import Contention
from webhooks.models import Event

ENTRY = ["your_pattern", "engineer", "pattern", "severity", "expires_at", "overlap"]
CLEAN = {
    "has_conflicts": False,
    "conflicts": [],
    "safe_to_proceed": True,
    "safe": True,
    "suggestion": None,
}


def check(api, *patterns: str, engineer: str = "bob", **query: object) -> dict:
    parts = [("engineer", engineer), *(("pattern", pattern) for pattern in patterns), *query.items()]
    status, body = api.get(f"/conflicts?{urlencode(parts, doseq=True)}")
    assert status == 200, body
    return body


def test_it_names_each_holder_with_these_fields(api, clock):
    _, made = api.claim("alice", "src/**", repo="org/app", session_id="session-of-alice")
    body = check(api, "src/a.py", repo="org/app")
    assert set(body) == set(CLEAN)
    (entry,) = body["conflicts"]
    assert list(entry)[:6] == ENTRY
    assert entry == {
        "your_pattern": "src/a.py",
        "engineer": "alice",
        "pattern": "src/**",
        "severity": "soft",
        "expires_at": "2026-11-23T16:00:00Z",
        "overlap": ["src/a.py"],
        "kind": "held",
        "claim_id": made["claim_ids"][0],
        "session": "session-…",
        "scope_type": "file",
        "seconds_left": 14400,
        "next": entry["next"],
    }
    assert made["claim_ids"][0] in entry["next"]
    assert (body["has_conflicts"], body["safe"], body["safe_to_proceed"]) == (True, False, False)
    assert body["suggestion"] == f"alice holds src/** until 2026-11-23T16:00:00Z. {entry['next']}"


def test_it_says_safe(api, clock):
    assert check(api, "src/a.py") == CLEAN
    api.claim("alice", "lib/**")
    assert check(api, "src/a.py", "src/**") == CLEAN


def test_it_writes_nothing(api, clock):
    api.claim("alice", "src/**")
    events = Event.objects.count()
    check(api, "src/a.py", session_id="sb")
    assert (Claim.objects.count(), Event.objects.count(), Contention.objects.count()) == (1, events, 0)


def test_own_claims_are_no_conflict(api, clock):
    api.claim("alice", "a.py", session_id="s1")
    api.claim("alice", "b.py")
    assert check(api, "a.py", engineer="alice", session_id="s1")["safe"] is True
    assert check(api, "a.py", engineer="alice", session_id=["s0", "s1"])["safe"] is True
    assert check(api, "a.py", engineer="alice", session_id="s2")["safe"] is False
    assert check(api, "b.py", engineer="alice", session_id="s2")["safe"] is True
    assert check(api, "a.py", engineer="alice")["safe"] is True


def test_it_agrees_with_claiming_about_partners(api, clock):
    for name, symbol in (("alice", "f"), ("bob", "g")):
        item = {"type": "file", "pattern": "a.ts", "symbols": [symbol]}
        api.post("/claims", {"engineer": name, "session_id": f"s-{name}", "claims": [item]})
    assert check(api, "a.ts", session_id="s-bob")["safe"] is False
    assert api.claim("bob", "a.ts", session_id="s-bob")[0] == 409


@pytest.mark.parametrize(("hours", "idle", "seconds"), [(0.1, 0, 360), (4, 300, 300)])
def test_what_has_run_out_is_no_conflict(api, clock, config, hours, idle, seconds):
    config(idle_timeout_sec=idle)
    api.claim("alice", "a.py", session_id="sa", ttl_hours=hours)
    clock.advance(seconds - 1)
    assert check(api, "a.py")["safe"] is False
    clock.advance(1)
    assert check(api, "a.py")["safe"] is True


def test_naming_sessions_is_a_sign_of_their_life(api, clock, config):
    config(idle_timeout_sec=600)
    api.claim("alice", "a.py", session_id="s1")
    api.claim("alice", "b.py", session_id="s2")
    clock.advance(400)
    check(api, "x.py", engineer="alice", session_id=["s1", "s2"])
    clock.advance(400)
    assert check(api, "a.py")["has_conflicts"] is True
    assert check(api, "b.py")["has_conflicts"] is True


def test_repositories_are_apart(api, clock):
    api.claim("alice", "a.py", repo="org/app")
    assert check(api, "a.py")["safe"] is True
    assert check(api, "a.py", repo="org/other")["safe"] is True
    assert check(api, "a.py", repo="ORG/App")["safe"] is False


def test_no_pattern_is_a_400(api, clock):
    status, body = api.get("/conflicts?engineer=bob")
    assert status == 400
    assert body["detail"] == "Provide one or more pattern= query params"


@pytest.mark.parametrize("pattern", ["", "!x", "../x"])
def test_a_pattern_that_cannot_be_read_is_a_400(api, clock, pattern):
    status, body = api.get(f"/conflicts?{urlencode({'engineer': 'bob', 'pattern': pattern})}")
    claimed = api.claim("bob", pattern)[1]["warnings"][0]
    assert status == 400
    assert body["detail"] == claimed


@pytest.mark.parametrize(
    ("query", "loc"),
    [
        ("pattern=a", ["query", "engineer"]),
        ("pattern=a&engineer=", ["query", "engineer"]),
        (f"pattern=a&engineer={'e' * 201}", ["query", "engineer"]),
        (f"pattern={'p' * 1025}&engineer=bob", ["query", "pattern", 0]),
        (f"pattern=a&engineer=bob&session_id={'s' * 201}", ["query", "session_id", 0]),
    ],
)
def test_what_is_out_of_bounds_is_a_422(api, clock, query, loc):
    status, body = api.get(f"/conflicts?{query}")
    assert status == 422
    assert body["detail"][0]["loc"] == loc


def test_a_check_costs_few_queries(api, clock, django_assert_max_num_queries):
    api.claim("alice", *[f"src/{number}.py" for number in range(200)])
    with django_assert_max_num_queries(3):
        assert check(api, "lib/free.py")["safe"] is True
