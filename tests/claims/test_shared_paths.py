"""``shared_files`` of the ownership document: claims of different parties coexist there."""

from __future__ import annotations

import pytest

from claims.models import Claim, Partnership
from ownership.services import save_document
from webhooks.models import Event

RULES = "shared_files:\n  - go.sum\n  - pattern: locales/**\n  - routes/*.ts\n"


@pytest.fixture
def shared(api, clock):
    save_document(text=RULES, author="root")
    return api


def claim(api, engineer, pattern, symbols=None, **fields):
    item = {"type": "file", "pattern": pattern, "symbols": symbols}
    return api.post(
        "/claims", {"engineer": engineer, "session_id": f"s-{engineer}", "claims": [item], **fields}
    )


@pytest.mark.parametrize("pattern", ["go.sum", "locales/de.json", "locales/**", "routes/*.ts"])
def test_it_lets_parties_in_beside_each_other_with_the_shared_lease_and_a_warning(shared, pattern):
    _, first = claim(shared, "alice", pattern)
    status, second = claim(shared, "bob", pattern)
    assert (status, first["warnings"]) == (200, [])
    (warning,) = second["warnings"]
    assert warning.endswith("is shared: alice (s-a…) is working there too.")
    assert {row["expires_at"] for row in shared.get("/claims")[1]["claims"]} == {"2026-11-23T14:00:00Z"}
    link = Partnership.objects.get()
    assert (link.kind, link.holder_id, link.partner_id) == (
        "shared",
        first["claim_ids"][0],
        second["claim_ids"][0],
    )
    event = Event.objects.get(event_type="claim_coexist")
    assert event.detail["holder_claim_id"] == first["claim_ids"][0]


def test_it_names_everybody_there_whenever_it_answers(shared):
    for engineer in ("alice", "bob", "carol"):
        claim(shared, engineer, "go.sum")
    _, again = claim(shared, "alice", "go.sum")
    assert Claim.objects.count() == 3
    assert sorted(warning.split(" (")[0] for warning in again["warnings"]) == [
        "'go.sum' is shared: bob",
        "'go.sum' is shared: carol",
    ]


def test_it_keeps_to_the_shared_lease_when_renewed_or_extended(shared, clock):
    _, body = claim(shared, "alice", "go.sum", ttl_hours=8)
    (held,) = body["claim_ids"]
    assert body["claims"][0]["expires_at"] == "2026-11-23T14:00:00Z"
    clock.advance(600)
    assert claim(shared, "alice", "go.sum", ttl_hours=8)[1]["claims"][0]["expires_at"] == (
        "2026-11-23T14:10:00Z"
    )
    _, extended = shared.post(f"/claims/{held}/extend", {"engineer": "alice", "ttl_hours": 10})
    assert extended["expires_at"] == "2026-11-23T14:10:00Z"


def test_it_grants_a_shorter_lease_when_asked(shared):
    _, body = claim(shared, "alice", "go.sum", ttl_hours=1)
    assert body["claims"][0]["expires_at"] == "2026-11-23T13:00:00Z"


def test_it_does_not_narrow_on_a_shared_path(shared):
    claim(shared, "alice", "routes/a.ts")
    assert claim(shared, "bob", "routes/a.ts", ["handler"])[0] == 200
    assert Partnership.objects.get().kind == "shared"
    assert not Event.objects.filter(event_type="auto-narrow").exists()


def test_it_shares_only_what_the_rule_covers(shared):
    claim(shared, "alice", "**/*.json")
    assert claim(shared, "bob", "locales/de.json")[0] == 200
    assert claim(shared, "bob", "conf/a.json")[0] == 409
    # Together they meet outside the shared path as well.
    assert claim(shared, "carol", "**")[0] == 409


def test_it_says_so_in_checks_too(shared):
    claim(shared, "alice", "go.sum")
    assert shared.get("/conflicts?pattern=go.sum&engineer=bob")[1]["safe"] is True
    assert shared.get("/conflicts?pattern=go.mod&pattern=go.sum&engineer=bob")[1]["safe"] is True


def test_a_shared_file_claim_without_a_rule_is_exclusive(api, clock):
    item = {"type": "shared_file", "pattern": "go.sum"}
    assert api.post("/claims", {"engineer": "alice", "claims": [item]})[0] == 200
    assert api.post("/claims", {"engineer": "bob", "claims": [item]})[0] == 409


def test_a_promotion_takes_effect_at_the_next_claim(api, clock):
    claim(api, "alice", "hot/a.py")
    assert claim(api, "bob", "hot/a.py")[0] == 409
    api.post("/metrics/hotspots/promote", {"action": "shared_file", "pattern": "hot/a.py"})
    assert claim(api, "bob", "hot/a.py")[0] == 200


def test_rules_of_one_repository_hold_there_only(api, clock):
    save_document(text="repos:\n  org/app:\n    shared_files: [go.sum]\n", author="root")
    for repo, status in (("org/app", 200), ("org/other", 409)):
        claim(api, "alice", "go.sum", repo=repo)
        assert claim(api, "bob", "go.sum", repo=repo)[0] == status
