"""``GET /conflicts``, its batch form and ``POST /claims`` agree on symbols."""

from __future__ import annotations

import itertools

import pytest

from claims.models import Claim

HOLDERS = {
    "file": {"pattern": "src/a.ts"},
    "kept file": {"pattern": "src/a.ts", "narrowable": False},
    "module": {"pattern": "src/**", "type": "module"},
    "tree": {"pattern": "src/**"},
    "other file": {"pattern": "lib/a.ts"},
    "symbol": {"pattern": "src/a.ts", "symbols": ["Foo::bar"]},
    "two symbols": {"pattern": "src/a.ts", "symbols": ["Foo", "baz"]},
    "symbol of a glob": {"pattern": "src/*.ts", "symbols": ["Foo::bar"]},
}
ASKED = ["src/a.ts::Foo", "src/a.ts::Foo::bar", "src/a.ts::Foo::bar::x", "src/a.ts::Foob", "./src/a.ts::baz"]
ASKED += ["src/*.ts::Foo", "src/b.ts::Foo::bar"]


@pytest.mark.parametrize(("holder", "asked"), list(itertools.product(HOLDERS, ASKED)))
def test_all_three_agree(api, clock, holder, asked):
    api.post("/claims", {"engineer": "alice", "claims": [{"type": "file", **HOLDERS[holder]}]})
    pattern, _, symbol = asked.partition("::")
    _, one = api.get(f"/conflicts?symbol={asked}&engineer=bob")
    _, batch = api.post("/conflicts/batch", {"engineer": "bob", "symbols": [asked], "patterns": []})
    item = {"type": "file", "pattern": pattern, "symbols": [symbol]}
    status, claimed = api.post("/claims", {"engineer": "bob", "claims": [item]})
    assert one == batch
    assert one["safe"] is (status == 200), claimed
    assert len(one["conflicts"]) == len(claimed["conflicts"])


def test_a_check_writes_nothing(api, clock):
    api.post("/claims", {"engineer": "alice", "claims": [{"type": "file", "pattern": "a.ts"}]})
    api.get("/conflicts?symbol=a.ts::f&engineer=bob")
    assert Claim.objects.count() == 1


@pytest.mark.parametrize("symbol", ["a.ts", "a.ts::", "::f", "a.ts:f"])
def test_it_says_how_to_write_a_symbol(api, symbol):
    status, body = api.get(f"/conflicts?symbol={symbol}&engineer=bob")
    assert status == 400
    assert body["next"] == "Write symbol=src/app.py::Class::method."
