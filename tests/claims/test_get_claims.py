"""GET /claims: who holds what, in pages."""

from __future__ import annotations

import json

import pytest

from claims.models import Claim

ROW = [
    "id",
    "engineer",
    "branch",
    "description",
    "claim_type",
    "pattern",
    "severity",
    "created_at",
    "expires_at",
    "released_at",
    "repo",
    "session_id",
    "last_activity",
    "coexists_with",
    "ttl_shortened",
    "scope_type",
    "narrowable",
]


def patterns(answer: tuple[int, dict]) -> list[str]:
    status, body = answer
    assert status == 200
    assert body["count"] == len(body["claims"])
    return [row["pattern"] for row in body["claims"]]


def test_it_lists_a_claim_with_these_fields(api, clock):
    _, made = api.claim("alice", "src/**", repo="org/app", session_id="sa", branch="b", description="d")
    _, body = api.get("/claims")
    (row,) = body["claims"]
    assert list(row)[:17] == ROW
    assert row == {
        "id": made["claim_ids"][0],
        "engineer": "alice",
        "branch": "b",
        "description": "d",
        "claim_type": "file",
        "pattern": "src/**",
        "severity": "soft",
        "created_at": "2026-11-23T12:00:00Z",
        "expires_at": "2026-11-23T16:00:00Z",
        "released_at": None,
        "repo": "org/app",
        "session_id": "sa",
        "last_activity": "2026-11-23T12:00:00Z",
        "coexists_with": None,
        "ttl_shortened": 0,
        "scope_type": "file",
        "narrowable": 1,
        "fence": 1,
        "end_reason": None,
    }
    assert set(body) == {"claims", "count", "next_cursor"}


def test_a_claim_without_session_or_repository_says_null(api, clock):
    api.claim("alice", "a.py")
    row = api.get("/claims")[1]["claims"][0]
    assert (row["repo"], row["session_id"], row["last_activity"]) == (None, None, None)


def test_partners_are_a_string_of_json(api, clock):
    for name, symbol in (("alice", "f"), ("bob", "g")):
        item = {"type": "file", "pattern": "a.ts", "symbols": [symbol]}
        assert api.post("/claims", {"engineer": name, "claims": [item]})[0] == 200
    rows = api.get("/claims")[1]["claims"]
    assert [json.loads(row["coexists_with"]) for row in rows] == [[rows[1]["id"]], [rows[0]["id"]]]


def test_a_partner_that_ran_out_is_none_whether_swept_or_not(api, clock, config):
    config(idle_timeout_sec=600)
    held = {"engineer": "alice", "session_id": "sa", "claims": [{"type": "file", "pattern": "src/**"}]}
    inside = {"type": "file", "pattern": "src/a.ts", "symbols": ["f"]}
    api.post("/claims", held)
    api.post("/claims", {"engineer": "bob", "session_id": "sb", "claims": [inside]})

    def told():
        (alices, *_) = [row for row in api.get("/claims")[1]["claims"] if row["engineer"] == "alice"]
        inbox = api.get("/sessions/sa/pending_requests")[1]["pending"]
        return alices["coexists_with"] is not None, [entry["kind"] for entry in inbox]

    clock.advance(599)
    assert told() == (True, ["auto-narrow-notice"])
    clock.advance(1)
    assert told() == (False, [])


def test_live_claims_come_by_the_end_of_their_lease(api, clock):
    api.claim("alice", "c.py", ttl_hours=3)
    api.claim("alice", "a.py", ttl_hours=1)
    api.claim("alice", "b.py", ttl_hours=2)
    assert patterns(api.get("/claims")) == ["a.py", "b.py", "c.py"]


def test_what_has_run_out_is_not_live_whether_swept_or_not(api, clock, config):
    config(idle_timeout_sec=600)
    api.claim("alice", "expires.py", ttl_hours=0.1)
    api.claim("alice", "idles.py", session_id="sa")
    api.claim("alice", "stays.py")
    clock.advance(601)
    assert patterns(api.get("/claims")) == ["stays.py"]
    assert Claim.objects.filter(released_at=None).count() == 3


def test_the_history_is_newest_first_and_has_what_ended(api, clock):
    _, first = api.claim("alice", "a.py")
    clock.advance(1)
    api.claim("bob", "b.py")
    api.delete(f"/claims/{first['claim_ids'][0]}")
    _, body = api.get("/claims?active_only=false")
    assert [row["pattern"] for row in body["claims"]] == ["b.py", "a.py"]
    assert body["claims"][1]["released_at"] == "2026-11-23T12:00:01Z"
    assert body["claims"][1]["end_reason"] == "released"


def test_it_filters(api, clock):
    mine = ["src/Auth/x.py", "x.py", "null.py"]
    for pattern, repo in zip(mine, ("org/app", "org/other", None), strict=True):
        api.claim("alice", pattern, repo=repo)
        clock.advance(1)
    api.claim("bob", "src/db/x.py", repo="org/app")
    assert patterns(api.get("/claims?engineer=alice")) == mine
    assert patterns(api.get("/claims?engineer=ali")) == []
    assert patterns(api.get("/claims?module=AUTH")) == ["src/Auth/x.py"]
    assert patterns(api.get("/claims?module=%25")) == []
    assert patterns(api.get("/claims?repo=Org/App&engineer=bob")) == ["src/db/x.py"]
    assert patterns(api.get("/claims?repo=")) == ["null.py"]
    assert patterns(api.get("/claims?session_id=nobody")) == patterns(api.get("/claims"))


def test_filters_reach_beyond_the_newest_page(api, clock):
    api.claim("old", "old.py")
    for number in range(0, 210, 70):
        api.claim("new", *[f"{n}.py" for n in range(number, number + 70)])
    assert patterns(api.get("/claims?active_only=false&engineer=old")) == ["old.py"]


@pytest.mark.parametrize(("query", "page"), [("active_only=true", 1000), ("active_only=false", 200)])
def test_a_page_has_a_default_length(api, clock, query, page):
    api.claim("alice", *[f"{number}.py" for number in range(1000)])
    api.claim("alice", "one-more.py")
    _, body = api.get(f"/claims?{query}")
    assert body["count"] == page
    assert body["next_cursor"]


@pytest.mark.parametrize("active", ["true", "false"])
def test_pages_lead_through_everything_once(api, clock, active):
    for number in range(25):
        api.claim("alice", f"{number}.py")
        if number % 3 == 0:
            clock.advance(1)
    whole = patterns(api.get(f"/claims?active_only={active}"))
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        _, body = api.get(f"/claims?active_only={active}&limit=7&cursor={cursor}")
        seen += [row["pattern"] for row in body["claims"]]
        cursor, pages = body["next_cursor"], pages + 1
    assert seen == whole
    assert (len(set(seen)), pages) == (25, 4)


def test_a_claim_made_meanwhile_repeats_nothing(api, clock):
    for number in range(6):
        api.claim("alice", f"{number}.py")
        clock.advance(1)
    _, first = api.get("/claims?active_only=false&limit=3")
    api.claim("alice", "new.py")
    _, second = api.get(f"/claims?active_only=false&limit=3&cursor={first['next_cursor']}")
    assert [row["pattern"] for row in second["claims"]] == ["2.py", "1.py", "0.py"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["nonsense", "4pyT", "eHg=", "MjAyNi0xMS0yM3x4", "\u00e9"])
def test_a_foreign_cursor_is_a_400(api, clock, cursor):
    api.claim("alice", "a.py")
    status, body = api.get(f"/claims?cursor={cursor}")
    assert status == 400
    assert body["detail"] == "cursor is not one of ours"
    assert body["next"] == "Start again without cursor."


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("active_only=perhaps", "active_only"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        (f"engineer={'e' * 201}", "engineer"),
        (f"module={'m' * 1025}", "module"),
        ("session_id=a%00b", "session_id"),
    ],
)
def test_a_wrong_parameter_is_a_422(api, clock, query, name):
    status, body = api.get(f"/claims?{query}")
    assert status == 422
    assert body["detail"][0]["loc"] == ["query", name]


@pytest.mark.parametrize("path", ["/claims", "/claims?active_only=false", "/claims/{id}"])
def test_an_unchanged_answer_is_a_304(api, clock, path):
    _, made = api.claim("alice", "a.py")
    path = path.format(id=made["claim_ids"][0])
    assert api.get(path)[0] == 200
    tag = api.last["ETag"]
    status, body = api.get(path, If_None_Match=tag)
    assert (status, body) == (304, b"")
    assert api.last["ETag"] == tag
    assert api.get(path, If_None_Match=f'"other", W/{tag}')[0] == 304
    api.post(f"/claims/{made['claim_ids'][0]}/extend", {"engineer": "alice", "ttl_hours": 9})
    assert api.get(path, If_None_Match=tag)[0] == 200
    assert api.last["ETag"] != tag


def test_naming_a_session_is_a_sign_of_its_life(api, clock, config):
    config(idle_timeout_sec=600)
    api.claim("alice", "a.py", session_id="sa")
    clock.advance(400)
    api.get("/claims?session_id=sa")
    clock.advance(400)
    assert patterns(api.get("/claims")) == ["a.py"]
    clock.advance(201)
    assert patterns(api.get("/claims?session_id=sa")) == []


def test_a_listing_costs_a_bounded_number_of_queries(api, clock, django_assert_max_num_queries):
    api.claim("alice", *[f"{number}.py" for number in range(300)])
    with django_assert_max_num_queries(4):
        assert api.get("/claims")[1]["count"] == 300
