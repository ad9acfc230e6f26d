"""GET /repos: every repository that was ever claimed in."""

from __future__ import annotations


def test_it_has_a_row_with_these_fields(api, clock):
    api.claim("alice", "a.py", "b.py", repo="Org/App")
    assert api.get("/repos") == (
        200,
        {
            "repos": [
                {
                    "repo": "org/app",
                    "last_activity": "2026-11-23T12:00:00Z",
                    "claims_24h": 2,
                    "engineers_24h": 1,
                    "active_claims": 2,
                    "auto_resolutions_24h": {"auto_coexist": 0, "auto_narrow": 0},
                }
            ],
            "count": 1,
        },
    )


def test_the_busiest_comes_first_then_the_more_claimed_then_by_name(api, clock):
    for repo, count in (("z/quiet", 1), ("a/quiet", 1), ("m/busy", 3), ("k/ended", 5)):
        _, made = api.claim("alice", *[f"{n}.py" for n in range(count)], repo=repo)
        if repo == "k/ended":
            api.post("/claims/release", {"claim_ids": made["claim_ids"]})
    assert [row["repo"] for row in api.get("/repos")[1]["repos"]] == [
        "m/busy",
        "a/quiet",
        "z/quiet",
        "k/ended",
    ]


def test_the_repository_without_an_id_is_not_listed(api, clock):
    api.claim("alice", "a.py")
    assert api.get("/repos")[1] == {"repos": [], "count": 0}


def test_a_refusal_alone_makes_no_repository(api, clock):
    api.claim("alice", "!", repo="org/never")
    api.get("/conflicts?engineer=bob&pattern=a&repo=org/asked")
    assert api.get("/repos")[1]["count"] == 0


def test_figures_are_of_the_last_day_and_of_now(api, clock):
    api.claim("alice", "a.py", repo="org/app", ttl_hours=30)
    clock.advance(25 * 3600)
    api.claim("bob", "b.py", repo="org/app", ttl_hours=1)
    for name, symbol in (("carol", "f"), ("dave", "g")):
        item = {"type": "file", "pattern": "c.ts", "symbols": [symbol]}
        api.post("/claims", {"engineer": name, "repo": "org/app", "claims": [item]})
    (row,) = api.get("/repos")[1]["repos"]
    assert (row["claims_24h"], row["engineers_24h"], row["active_claims"]) == (3, 3, 4)
    assert row["last_activity"] == "2026-11-24T13:00:00Z"
    assert row["auto_resolutions_24h"] == {"auto_coexist": 1, "auto_narrow": 0}
    clock.advance(2 * 3600)
    (row,) = api.get("/repos")[1]["repos"]
    assert row["active_claims"] == 3


def test_it_needs_a_token(api, clock):
    api.headers = {}
    assert api.get("/repos")[0] == 401
