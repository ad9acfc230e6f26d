"""POST /claims: grant, refuse, all or nothing."""

from __future__ import annotations

import pytest

from claims.models import Claim
from webhooks.models import Event


def test_it_grants_and_returns_ids_fences_and_leases(api, clock):
    status, body = api.claim("alice", "src/auth/**", "./README.md", repo="org/app", session_id="sa")
    assert status == 200
    assert body["conflicts"] == []
    assert body["warnings"] == []
    assert body["options"] == []
    assert [claim["pattern"] for claim in body["claims"]] == ["src/auth/**", "README.md"]
    assert body["claim_ids"] == [claim["id"] for claim in body["claims"]]
    first, second = body["claims"]
    assert second["fence"] > first["fence"] > 0
    assert first["expires_at"] == "2026-11-23T16:00:00Z"
    assert Event.objects.get().event_type == "claim_granted"


def test_it_refuses_an_overlap_and_names_the_holder(api, clock):
    _, held = api.claim("alice", "src/auth/**", session_id="session-of-alice", description="auth work")
    status, body = api.claim("bob", "src/auth/login.ts", session_id="sb")
    assert status == 409
    assert "detail" not in body
    assert body["claim_ids"] == []
    assert body["options"] == ["wait", "narrow_claim", "escalate", "override"]
    assert body["code"] == "conflict"
    (conflict,) = body["conflicts"]
    assert conflict["your_pattern"] == "src/auth/login.ts"
    holder = conflict["conflicting_claim"]
    assert holder["id"] == held["claim_ids"][0]
    assert holder["engineer"] == "alice"
    assert holder["description"] == "auth work"
    assert holder["expires_at"] == "2026-11-23T16:00:00Z"
    assert holder["seconds_left"] == 4 * 3600
    assert holder["session"] != "session-of-alice"
    assert conflict["overlap"] == ["src/auth/login.ts"]
    assert conflict["kind"] == "held"
    assert conflict["next"]


def test_it_grants_all_or_nothing(api, clock):
    api.claim("alice", "a.py")
    assert api.claim("bob", "b.py", "a.py", "c.py")[0] == 409
    assert Claim.objects.filter(engineer="bob").count() == 0
    assert api.claim("carol", "b.py")[0] == 200


@pytest.mark.parametrize("pattern", ["", "   ", "!src", "../x", ".", "src/{a,b}.ts"])
def test_it_refuses_a_pattern_that_cannot_be_read(api, clock, pattern):
    status, body = api.claim("alice", "ok.py", pattern)
    assert status == 400
    assert body["claim_ids"] == []
    assert len(body["warnings"]) == 1
    assert body["options"] == ["narrow_claim"]
    assert Claim.objects.count() == 0


def test_it_returns_the_claim_a_session_has_renewed(api, clock):
    _, first = api.claim("alice", "a.py", session_id="sa")
    clock.advance(60)
    status, second = api.claim("alice", "./a.py", session_id="sa")
    assert status == 200
    assert second["claim_ids"] == first["claim_ids"]
    assert second["claims"][0]["fence"] == first["claims"][0]["fence"]
    assert second["claims"][0]["expires_at"] == "2026-11-23T16:01:00Z"
    assert Claim.objects.count() == 1


def test_it_keeps_two_sessions_of_one_engineer_apart(api, clock):
    assert api.claim("alice", "a.py", session_id="s1")[0] == 200
    assert api.claim("alice", "a.py", session_id="s2")[0] == 409
    assert api.claim("alice", "a.py")[0] == 200


def test_it_keeps_repositories_apart_and_folds_their_case(api, clock):
    assert api.claim("alice", "a.py", repo="Org/App")[0] == 200
    assert api.claim("bob", "a.py", repo="org/app")[0] == 409
    assert api.claim("bob", "a.py", repo="org/other")[0] == 200
    assert api.claim("bob", "a.py")[0] == 200
    assert api.claim("carol", "a.py", repo="")[0] == 409


def test_an_expired_claim_holds_nothing(api, clock):
    _, held = api.claim("alice", "a.py", ttl_hours=1)
    clock.advance(3600)
    assert api.claim("bob", "a.py")[0] == 200
    assert Claim.objects.get(id=held["claim_ids"][0]).end_reason == "expired"
    assert list(Event.objects.order_by("seq").values_list("event_type", flat=True)) == [
        "claim_granted",
        "claim_expired",
        "claim_granted",
    ]
