"""GET /config/ownership/revisions and one of them."""

from __future__ import annotations

from tests.ownership.conftest import RULES


def test_it_lists_revisions_newest_first(api, document, clock):
    one = document(RULES, reason="start")
    clock.advance(60)
    two = document(RULES + "# two\n", author="bob")
    status, body = api.get("/config/ownership/revisions")
    assert status == 200
    assert body == {
        "revisions": [
            {
                "id": two.pk,
                "replaces": one.pk,
                "rules": 1,
                "author": "bob",
                "reason": "",
                "created_at": "2026-11-23T12:01:00Z",
                "etag": two.etag,
            },
            {
                "id": one.pk,
                "replaces": None,
                "rules": 1,
                "author": "alice",
                "reason": "start",
                "created_at": "2026-11-23T12:00:00Z",
                "etag": one.etag,
            },
        ],
        "count": 2,
        "next_cursor": None,
    }


def test_it_pages(api, document):
    ids = [document(RULES + f"# {n}\n").pk for n in range(5)]
    _, first = api.get("/config/ownership/revisions?limit=2")
    _, second = api.get(f"/config/ownership/revisions?limit=2&cursor={first['next_cursor']}")
    _, third = api.get(f"/config/ownership/revisions?limit=2&cursor={second['next_cursor']}")
    seen = [row["id"] for page in (first, second, third) for row in page["revisions"]]
    assert (seen, third["next_cursor"]) == (ids[::-1], None)


def test_it_refuses_a_bad_page(api):
    status, body = api.get("/config/ownership/revisions?limit=0&cursor=x")
    assert status == 422
    assert [problem["loc"] for problem in body["detail"]] == [["query", "limit"], ["query", "cursor"]]


def test_it_shows_one_with_its_difference(api, document):
    one = document(RULES)
    two = document(RULES + "# two\n")
    status, body = api.get(f"/config/ownership/revisions/{two.pk}")
    assert (status, body["text"]) == (200, RULES + "# two\n")
    assert body["diff"].splitlines() == [
        f"--- revision {one.pk}",
        f"+++ revision {two.pk}",
        "@@ -1,2 +1,3 @@",
        *(f" {line}" for line in RULES.splitlines()),
        "+# two",
    ]


def test_it_shows_the_first_against_nothing(api, document):
    _, body = api.get(f"/config/ownership/revisions/{document(RULES).pk}")
    assert body["diff"].startswith("--- nothing\n")


def test_it_does_not_compare_very_long_texts(api, document):
    revision = document(RULES + "#\n" * 10_000)
    _, body = api.get(f"/config/ownership/revisions/{revision.pk}")
    assert (body["diff"], body["text"]) == (None, revision.text)


def test_it_answers_404_for_an_unknown_one(api):
    for unknown in (7, 10**30):
        status, body = api.get(f"/config/ownership/revisions/{unknown}")
        assert (status, body["detail"]) == (404, f"There is no revision {unknown}")
