"""POST /claims: the whole answer, the rows and the events; and every bound of what it takes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from claims.models import Claim, ClaimSymbol, Repository
from common import metrics
from ownership.models import Contention
from webhooks.models import Event

CONFLICT = ["your_pattern", "conflicting_claim", "overlap", "your_symbols", "symbol_overlap"]
HOLDER = ["id", "engineer", "pattern", "severity", "description", "expires_at", "scope_type", "symbols"]


def body(**changes: object) -> dict[str, object]:
    return {"engineer": "alice", "claims": [{"type": "file", "pattern": "a.py"}], **changes}


def sample(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_it_answers_a_grant_with_these_fields(api, clock):
    status, answer = api.post("/claims", body())
    assert status == 200
    claim_id = answer["claim_ids"][0]
    assert answer == {
        "claim_ids": [claim_id],
        "conflicts": [],
        "warnings": [],
        "options": [],
        "claims": [
            {
                "id": claim_id,
                "pattern": "a.py",
                "fence": 1,
                "expires_at": "2026-11-23T16:00:00Z",
                "severity": "soft",
                "scope_type": "file",
            }
        ],
    }
    assert list(answer)[:4] == ["claim_ids", "conflicts", "warnings", "options"]


def test_it_writes_what_was_asked(api, clock):
    api.post(
        "/claims",
        body(
            branch="feature/x",
            description="login rework",
            ttl_hours=1.5,
            repo="Org/App",
            session_id="sess-alice",
            claims=[{"type": "module", "pattern": "src//auth/", "symbols": None, "unknown": 1}],
            unknown={"ignored": True},
        ),
    )
    claim = Claim.objects.select_related("repository").get()
    assert (claim.engineer, claim.session_id, claim.branch) == ("alice", "sess-alice", "feature/x")
    assert (claim.description, claim.claim_type) == ("login rework", "module")
    assert (claim.pattern, claim.prefix, claim.scope_type) == ("src/auth/**", "src/auth", "file")
    assert claim.repository.name == "org/app"
    assert claim.created_at == claim.last_activity == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert claim.expires_at == datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    assert (claim.released_at, claim.end_reason, claim.shortened_from) == (None, "", None)


def test_it_records_one_event_for_the_whole_call(api, clock):
    _, answer = api.claim("alice", "a.py", "b/**", repo="org/app", session_id="sa")
    event = Event.objects.get()
    assert (event.event_type, event.repo) == ("claim_granted", "org/app")
    assert (event.actor_engineer, event.actor_session_id) == ("alice", "sa")
    assert str(event.claim_id) == answer["claim_ids"][0]
    assert event.detail == {
        "claim_ids": answer["claim_ids"],
        "engineer": "alice",
        "repo": "org/app",
        "session_id": "sa",
        "claims": [
            {
                **{name: claim[name] for name in ("id", "pattern", "fence", "expires_at", "scope_type")},
                "claim_type": "file",
                "symbols": None,
            }
            for claim in answer["claims"]
        ],
    }


def test_it_answers_a_refusal_with_these_fields(api, clock):
    api.claim("alice", "src/**", session_id="session-of-alice", description="auth", branch="b1")
    status, answer = api.claim("bob", "src/a.py")
    assert status == 409
    assert list(answer)[:4] == ["claim_ids", "conflicts", "warnings", "options"]
    assert set(answer) == {
        "claim_ids",
        "conflicts",
        "warnings",
        "options",
        "claims",
        "code",
        "retryable",
        "retry_after_s",
        "next",
    }
    assert (answer["claim_ids"], answer["claims"], answer["warnings"]) == ([], [], [])
    (conflict,) = answer["conflicts"]
    assert list(conflict)[:5] == CONFLICT
    assert list(conflict["conflicting_claim"])[:8] == HOLDER
    assert conflict["conflicting_claim"]["session"] == "session-…"
    assert conflict["conflicting_claim"]["branch"] == "b1"
    assert conflict["conflicting_claim"]["symbols"] is None
    assert (conflict["your_symbols"], conflict["symbol_overlap"]) == (None, None)
    assert (answer["retryable"], answer["retry_after_s"]) == (True, 4 * 3600)
    assert api.last["Retry-After"] == str(4 * 3600)
    assert answer["next"] == conflict["next"]
    assert conflict["conflicting_claim"]["id"] in answer["next"]


def test_a_refusal_writes_an_attempt_and_nothing_else(api, clock):
    _, held = api.claim("alice", "src/**", repo="org/app")
    events = Event.objects.count()
    api.claim("bob", "src/a.py", "src/b.py", "free.py", repo="org/app", session_id="sb")
    assert Claim.objects.count() == 1
    assert Event.objects.count() == events
    rows = list(Contention.objects.order_by("pattern"))
    assert [row.pattern for row in rows] == ["src/a.py", "src/b.py"]
    assert {(row.attempted_by, row.attempted_session_id) for row in rows} == {("bob", "sb")}
    assert {row.claim_id for row in rows} == {held["claim_ids"][0]}


def test_conflicts_come_by_item_then_by_the_end_of_the_lease(api, clock):
    api.claim("alice", "b/1.py", ttl_hours=3)
    api.claim("carol", "b/2.py", ttl_hours=1)
    api.claim("dave", "a/1.py")
    _, answer = api.claim("bob", "b/**", "a/**")
    found = [(c["your_pattern"], c["conflicting_claim"]["engineer"]) for c in answer["conflicts"]]
    assert found == [("b/**", "carol"), ("b/**", "alice"), ("a/**", "dave")]


def test_it_counts_grants_and_refusals(api, clock):
    created = sample("claims_created_total", severity="soft")
    refused = sample("claims_conflicts_total")
    api.claim("alice", "a.py", "b.py")
    api.claim("bob", "a.py", "b.py")
    assert sample("claims_created_total", severity="soft") == created + 2
    assert sample("claims_conflicts_total") == refused + 2


@pytest.mark.parametrize(
    ("item", "narrowable"),
    [
        ({"type": "file"}, 1),
        ({"type": "module"}, 0),
        ({"type": "shared_file"}, 0),
        ({"type": "file", "symbols": ["f"]}, 0),
        ({"type": "file", "narrowable": False}, 0),
        ({"type": "module", "narrowable": True}, 1),
    ],
)
def test_narrowable_is_as_asked_else_by_type(api, clock, item, narrowable):
    api.post("/claims", body(claims=[{"pattern": "a.py", **item}]))
    assert api.get("/claims")[1]["claims"][0]["narrowable"] == narrowable


def test_an_empty_list_of_symbols_is_a_file_claim(api, clock):
    api.post("/claims", body(claims=[{"type": "file", "pattern": "a.py", "symbols": []}]))
    assert Claim.objects.get().scope_type == "file"
    assert ClaimSymbol.objects.count() == 0


def test_a_shared_file_has_the_shared_lease_and_is_exclusive(api, clock):
    _, answer = api.post("/claims", body(ttl_hours=9, claims=[{"type": "shared_file", "pattern": "go.mod"}]))
    assert answer["claims"][0]["expires_at"] == "2026-11-23T14:00:00Z"
    assert api.claim("bob", "go.mod")[0] == 409


@pytest.mark.parametrize("unset", [None, 0, 0.0, "0"])
def test_no_lease_is_the_default_lease(api, clock, unset):
    _, answer = api.post("/claims", body(ttl_hours=unset))
    assert answer["claims"][0]["expires_at"] == "2026-11-23T16:00:00Z"


@pytest.mark.parametrize(
    ("hours", "end"),
    [(1 / 60, "12:01:00Z"), (0.5, "12:30:00Z"), ("3", "15:00:00Z"), (2.0, "14:00:00Z")],
)
def test_a_lease_may_be_a_fraction(api, clock, hours, end):
    _, answer = api.post("/claims", body(ttl_hours=hours))
    assert answer["claims"][0]["expires_at"] == f"2026-11-23T{end}"


def test_the_longest_lease_is_thirty_days(api, clock):
    _, answer = api.post("/claims", body(ttl_hours=720))
    assert answer["claims"][0]["expires_at"] == "2026-12-23T12:00:00Z"


def test_no_items_is_a_400(api, clock):
    status, answer = api.post("/claims", body(claims=[]))
    assert status == 400
    assert (answer["claim_ids"], answer["conflicts"]) == ([], [])
    assert answer["warnings"] == ["No patterns provided"]
    assert answer["options"] == ["narrow_claim", "escalate"]
    assert answer["code"] == "invalid"
    assert "detail" not in answer


@pytest.mark.parametrize("pattern", ["", "  ", "!src/a.py", "/"])
def test_a_pattern_that_says_nothing_is_a_400(api, clock, pattern):
    status, answer = api.claim("alice", "ok.py", pattern)
    assert status == 400
    assert len(answer["warnings"]) == 1
    assert answer["options"] == ["narrow_claim"]
    assert set(answer) >= {"claim_ids", "conflicts", "warnings", "options", "code", "next"}


def test_it_reports_the_first_bad_item_only(api, clock):
    _, answer = api.claim("alice", "!one", "!two")
    assert len(answer["warnings"]) == 1
    assert "!one" in answer["warnings"][0]


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"engineer": ""}, ["body", "engineer"]),
        ({"engineer": "   "}, ["body", "engineer"]),
        ({"engineer": None}, None),
        ({"engineer": "e" * 201}, ["body", "engineer"]),
        ({"engineer": "a\x00b"}, ["body", "engineer"]),
        ({"engineer": "two\nlines"}, ["body", "engineer"]),
        ({"engineer": ["alice"]}, ["body", "engineer"]),
        ({"claims": None}, ["body", "claims"]),
        ({"claims": "a.py"}, ["body", "claims"]),
        ({"claims": ["a.py"]}, ["body", "claims", 0]),
        ({"claims": [{"type": "file", "pattern": f"{n}.py"} for n in range(1001)]}, ["body", "claims"]),
        ({"claims": [{"pattern": "a.py"}]}, ["body", "claims", 0, "type"]),
        ({"claims": [{"type": "banana", "pattern": "a.py"}]}, ["body", "claims", 0, "type"]),
        ({"claims": [{"type": "file"}]}, ["body", "claims", 0, "pattern"]),
        ({"claims": [{"type": "file", "pattern": None}]}, ["body", "claims", 0, "pattern"]),
        ({"claims": [{"type": "file", "pattern": "p" * 1025}]}, ["body", "claims", 0, "pattern"]),
        ({"claims": [{"type": "file", "pattern": "a.py", "symbols": "f"}]}, ["body", "claims", 0, "symbols"]),
        (
            {"claims": [{"type": "file", "pattern": "a.py", "symbols": ["s"] * 501}]},
            ["body", "claims", 0, "symbols"],
        ),
        (
            {"claims": [{"type": "file", "pattern": "a.py", "narrowable": "perhaps"}]},
            ["body", "claims", 0, "narrowable"],
        ),
        ({"ttl_hours": -1}, ["body", "ttl_hours"]),
        ({"ttl_hours": 0.016}, ["body", "ttl_hours"]),
        ({"ttl_hours": 720.01}, ["body", "ttl_hours"]),
        ({"ttl_hours": 999999999}, ["body", "ttl_hours"]),
        ({"ttl_hours": "nan"}, ["body", "ttl_hours"]),
        ({"ttl_hours": "inf"}, ["body", "ttl_hours"]),
        ({"ttl_hours": True}, ["body", "ttl_hours"]),
        ({"ttl_hours": "soon"}, ["body", "ttl_hours"]),
        ({"wait_seconds": -1}, ["body", "wait_seconds"]),
        ({"wait_seconds": 601}, ["body", "wait_seconds"]),
        ({"wait_seconds": 1.5}, ["body", "wait_seconds"]),
        ({"session_id": "s" * 201}, ["body", "session_id"]),
        ({"branch": "b" * 301}, ["body", "branch"]),
        ({"description": "d" * 2001}, ["body", "description"]),
        ({"description": "\ud800"}, ["body", "description"]),
        ({"repo": "r" * 251}, ["body", "repo"]),
    ],
)
def test_what_is_out_of_bounds_is_a_422_and_changes_nothing(api, clock, changes, loc):
    status, answer = api.post("/claims", body(**changes))
    assert status == 422
    if loc is not None:
        assert answer["detail"][0]["loc"] == loc
        assert set(answer["detail"][0]) >= {"type", "loc", "msg", "input"}
    assert (answer["code"], answer["retryable"]) == ("invalid", False)
    assert answer["next"]
    assert not Claim.objects.exists()
    assert not Event.objects.exists()
    assert not Repository.objects.exists()


@pytest.mark.parametrize("repo", ["no spaces", "a//b", "../x", "-x/y", "a/b/", "o/ä", "a\x00b", "x" * 201])
def test_a_repository_id_has_a_grammar(api, clock, repo):
    status, answer = api.claim("alice", "a.py", repo=repo)
    assert status in (400, 422)
    assert "repo" in str(answer["detail"])
    assert not Claim.objects.exists()


def test_the_largest_call_is_granted(api, clock):
    patterns = [f"dir-{number}/file.py" for number in range(1000)]
    status, answer = api.claim("e" * 200, *patterns)
    assert status == 200
    assert [claim["pattern"] for claim in answer["claims"]] == patterns
    assert [claim["fence"] for claim in answer["claims"]] == list(range(1, 1001))
    assert api.claim("bob", "p/" + "q" * 1022)[0] == 200


def test_a_scope_named_twice_in_one_call_is_one_claim(api, clock):
    status, answer = api.claim("alice", "a.py", "./a.py", "b.py")
    assert status == 200
    assert answer["claim_ids"][0] == answer["claim_ids"][1] != answer["claim_ids"][2]
    assert Claim.objects.count() == 2


def test_nobody_is_told_anything_without_a_token(api, clock):
    api.headers = {}
    status, answer = api.post("/claims", {"nonsense": True})
    assert status == 401
    assert answer["detail"] == "Missing bearer token"


def test_a_live_claim_of_the_same_party_is_no_obstacle_and_stays(api, clock):
    _, wide = api.claim("alice", "src/**", session_id="sa")
    _, narrow = api.claim("alice", "src/a.py", session_id="sa")
    assert narrow["claim_ids"] != wide["claim_ids"]
    assert Claim.objects.filter(released_at=None).count() == 2
    assert api.claim("bob", "src/a.py")[0] == 409
