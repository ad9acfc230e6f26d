"""Symbol claims: the matrix, partners, spelling, globs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims import checkout
from claims.models import Claim, Partnership
from webhooks.models import Event


def claim(api, engineer, pattern, symbols=None, session=None, **fields):
    item = {"type": "file", "pattern": pattern, "symbols": symbols, **fields}
    return api.post("/claims", {"engineer": engineer, "session_id": session, "claims": [item]})


def test_disjoint_symbols_coexist(api, clock):
    _, first = claim(api, "alice", "f.ts", ["foo"], "sa")
    status, second = claim(api, "bob", "f.ts", ["bar"], "sb")
    assert status == 200
    rows = {row["engineer"]: row for row in api.get("/claims")[1]["claims"]}
    assert rows["alice"]["coexists_with"] == f'["{second["claim_ids"][0]}"]'
    assert rows["bob"]["coexists_with"] == f'["{first["claim_ids"][0]}"]'
    assert rows["bob"]["scope_type"] == "symbol"
    event = Event.objects.get(event_type="auto-coexist")
    assert event.detail["holder_claim_id"] == first["claim_ids"][0]
    assert event.detail["requester_claim_id"] == second["claim_ids"][0]


def test_a_partner_on_one_symbol_is_refused_the_other_and_the_file(api, clock):
    claim(api, "alice", "f.ts", ["foo"], "sa")
    claim(api, "bob", "f.ts", ["bar"], "sb")
    status, body = claim(api, "bob", "f.ts", ["foo"], "sb")
    assert status == 409
    assert body["conflicts"][0]["symbol_overlap"] == [{"file": "f.ts", "symbols": ["foo"]}]
    assert body["conflicts"][0]["your_symbols"] == ["foo"]
    assert body["conflicts"][0]["conflicting_claim"]["symbols"] == ["foo"]
    assert claim(api, "bob", "f.ts", None, "sb")[0] == 409


def test_a_symbol_is_carved_out_of_a_narrowable_claim_and_the_holder_is_told(api, clock):
    _, held = claim(api, "alice", "src/**", None, "sa")
    assert claim(api, "bob", "src/a.ts", ["foo"], "sb")[0] == 200
    assert claim(api, "bob", "src/**", None, "sb")[0] == 409
    assert api.get("/conflicts?pattern=src/a.ts&engineer=bob&session_id=sb")[1]["has_conflicts"]
    _, inbox = api.get("/sessions/sa/pending_requests")
    (notice,) = [entry for entry in inbox["pending"] if entry["kind"] == "auto-narrow-notice"]
    assert (notice["claim_id"], notice["partner_engineer"]) == (held["claim_ids"][0], "bob")
    assert str(Event.objects.get(event_type="auto-narrow").claim_id) == held["claim_ids"][0]
    assert Partnership.objects.get().kind == "auto-narrow"


@pytest.mark.parametrize(
    "holder", [{"narrowable": False}, {"type": "module"}, {"type": "shared_file", "narrowable": True}]
)
def test_what_is_not_narrowable_refuses_symbols(api, clock, holder):
    claim(api, "alice", "src/a.ts", **holder)
    assert claim(api, "bob", "src/a.ts", ["foo"])[0] == 409


def test_a_file_claim_is_refused_over_symbols(api, clock):
    claim(api, "alice", "src/a.ts", ["foo"])
    status, body = claim(api, "bob", "src/**")
    assert status == 409
    assert body["conflicts"][0]["symbol_overlap"] is None


@pytest.mark.parametrize(("mine", "theirs"), [("g/*.ts", "g/login.ts"), ("t/**", "t/x/a.py")])
def test_symbols_on_a_glob_cover_every_file(api, clock, mine, theirs):
    claim(api, "alice", mine, ["foo"])
    assert claim(api, "bob", theirs, ["foo"])[0] == 409
    assert claim(api, "bob", theirs, ["bar"])[0] == 200


@pytest.mark.parametrize("spelling", ["./g/x.ts", "g\\x.ts", "/g/x.ts", "g/y/../x.ts"])
def test_spelling_does_not_dodge_a_symbol(api, clock, spelling):
    claim(api, "alice", "g/x.ts", ["foo"])
    assert claim(api, "bob", spelling, ["foo"])[0] == 409


def test_the_same_leaf_under_two_parents_is_two_symbols(api, clock):
    claim(api, "alice", "f.ts", ["Foo::h", "Bar::h"])
    assert claim(api, "bob", "f.ts", ["Bar::h"])[0] == 409
    assert claim(api, "bob", "f.ts", ["Baz::h"])[0] == 200


@pytest.mark.parametrize(
    ("held", "asked", "status"),
    [
        ("Foo", "Foo::bar", 409),
        ("Foo::bar", "Foo", 409),
        ("Foo::bar", "Foo::bar::inner", 409),
        ("Foo", "FooBar", 200),
        ("Foo::a", "Foo::b", 200),
        (" Foo ", "Foo", 409),
    ],
)
def test_ancestors_and_descendants_meet(api, clock, held, asked, status):
    claim(api, "alice", "f.ts", [held])
    assert claim(api, "bob", "f.ts", [asked])[0] == status


def test_an_empty_symbol_is_a_400(api, clock):
    for bad in ("a::", "::b", "  "):
        status = claim(api, "alice", "f.ts", [bad])[0]
        assert status in (400, 422), bad
    assert Claim.objects.count() == 0


def test_conflicts_understands_symbols_with_the_same_verdict(api, clock):
    claim(api, "alice", "f.ts", ["Foo::h"])
    assert api.get("/conflicts?symbol=f.ts::Foo&engineer=bob")[1]["has_conflicts"] is True
    assert api.get("/conflicts?symbol=f.ts::Bar&engineer=bob")[1]["safe"] is True
    _, body = api.post(
        "/conflicts/batch", {"engineer": "bob", "symbols": ["f.ts::Bar", "f.ts::Foo::h"], "patterns": ["x"]}
    )
    assert [entry["your_pattern"] for entry in body["conflicts"]] == ["f.ts"]
    assert body["conflicts"][0]["symbol_overlap"] == [{"file": "f.ts", "symbols": ["Foo::h"]}]


def test_auto_resolutions_are_counted_per_repository_and_day(api, clock):
    claim(api, "alice", "f.ts", ["foo"])
    claim(api, "bob", "f.ts", ["bar"])
    _, body = api.get("/metrics/auto-resolutions")
    assert body == {
        "series": [{"repo": None, "date": "2026-11-23", "auto_coexist": 1, "auto_narrow": 0}],
        "days": 30,
        "count": 1,
    }


def test_a_claim_names_at_most_eight_partners(api, clock):
    for number in range(20):
        assert claim(api, f"agent-{number}", "hot.py", [f"f{number}"])[0] == 200
    last = Claim.objects.order_by("-fence").first()
    assert last.partners_there.count() == 8


def test_a_claim_costs_the_same_however_many_work_in_the_file(api, clock, monkeypatch):
    monkeypatch.setattr(checkout, "PLACES_KEPT_S", float("inf"))  # it is looked up once

    def queries():
        with CaptureQueriesContext(connection) as seen:
            number = Claim.objects.count()
            assert claim(api, f"agent-{number}", "hot.py", [f"f{number}"])[0] == 200
        return len(seen)

    for number in range(20):
        claim(api, f"agent-{number}", "hot.py", [f"f{number}"])
    early = queries()
    for number in range(21, 50):
        claim(api, f"agent-{number}", "hot.py", [f"f{number}"])
    assert queries() == early
