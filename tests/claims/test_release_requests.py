"""POST /requests and its four answers."""

from __future__ import annotations

import pytest

from claims.models import Claim, ReleaseRequest
from common.clock import iso
from webhooks.models import Event

SHORT = "2026-11-23T12:05:00Z"
FULL = "2026-11-23T16:00:00Z"


@pytest.fixture
def held(api, clock):
    status, body = api.claim("alice", "src/**", session_id="sa", repo="org/app")
    assert status == 200
    return body["claim_ids"][0]


def ask(api, claim_id, requester="bob", **fields):
    return api.post("/requests", {"claim_id": claim_id, "requester": requester, "wait_seconds": 0, **fields})


def answer(api, request, decision, **fields):
    return api.post(f"/requests/{request['id']}/respond", {"decision": decision, **fields})


def expiry(claim_id):

    return iso(Claim.objects.get(id=claim_id).expires_at)


def test_it_files_and_cuts_the_lease(api, held):
    status, row = ask(
        api, held, session_id="sb", reason="need it", urgency="high", requested_scope="src/a.py"
    )
    assert status == 200
    assert list(row) == [
        "id",
        "claim_id",
        "requester_engineer",
        "requester_session_id",
        "requested_pattern",
        "reason",
        "urgency",
        "decision",
        "decided_at",
        "decided_by_engineer",
        "decided_by_session_id",
        "note",
        "original_expires_at",
        "shortened_expires_at",
        "created_at",
        "requested_scope",
    ]
    assert (row["original_expires_at"], row["shortened_expires_at"]) == (FULL, SHORT)
    assert expiry(held) == SHORT
    assert api.get("/claims")[1]["claims"][0]["ttl_shortened"] == 1
    _, events = api.get(f"/requests/{row['id']}/events")
    assert [event["event_type"] for event in events["events"]] == ["filed"]
    assert isinstance(events["events"][0]["detail"], str)


def test_two_denials_restore_the_lease_exactly(api, held):
    first, second = ask(api, held)[1], ask(api, held, "carol")[1]
    assert second["original_expires_at"] == FULL
    assert answer(api, first, "denied", engineer="alice")[0] == 200
    assert answer(api, second, "denied", engineer="alice")[1]["decision"] == "denied"
    assert expiry(held) == FULL


def test_extending_while_asked_does_not_undo_the_cut_and_is_what_denial_restores(api, held):
    row = ask(api, held)[1]
    status, body = api.post(f"/claims/{held}/extend", {"engineer": "alice", "ttl_hours": 10})
    assert (status, body["ttl_shortened"], expiry(held)) == (200, 1, SHORT)
    answer(api, row, "denied", session_id="sa")
    assert expiry(held) == "2026-11-23T22:00:00Z"


def test_a_repeat_returns_the_open_request(api, held):
    first, again = ask(api, held)[1], ask(api, held)[1]
    assert first["id"] == again["id"]
    assert ReleaseRequest.objects.count() == 1


def test_a_denied_party_may_not_cut_the_lease_again_at_once(api, held, clock):
    answer(api, ask(api, held)[1], "denied", engineer="alice")
    ask(api, held)
    assert expiry(held) == FULL
    answer(api, ReleaseRequest.objects.get(decision="pending").__dict__, "denied", engineer="alice")
    clock.advance(301)
    ask(api, held)
    assert expiry(held) == "2026-11-23T12:10:01Z"


@pytest.mark.parametrize("who", [{"engineer": "bob"}, {"session_id": "sb"}, {"engineer": "mallory"}])
def test_only_the_holder_may_answer(api, held, who):
    row = ask(api, held, session_id="sb")[1]
    status, body = answer(api, row, "approved", **who)
    assert status == 403
    assert body["code"] == "forbidden"
    assert Claim.objects.get(id=held).released_at is None
    assert api.get(f"/requests/{row['id']}")[1]["decision"] == "pending"


def test_nobody_files_against_itself(api, held):
    assert ask(api, held, "alice", session_id="sa")[0] == 409
    assert expiry(held) == FULL


def test_approval_ends_the_claim_and_resolves_siblings(api, held):
    first, second = ask(api, held)[1], ask(api, held, "carol")[1]
    status, row = answer(api, first, "approved", session_id="sa")
    assert (status, row["decision"]) == (200, "approved")
    assert api.get(f"/requests/{second['id']}")[1]["decision"] == "resolved"
    assert api.get("/claims")[1]["count"] == 0
    assert answer(api, second, "coexist", coexist_pattern="src/a.py")[1]["decision"] == "resolved"
    kinds = set(Event.objects.values_list("event_type", flat=True))
    assert {"filed", "responded", "claim_released", "resolved", "responded-late"} <= kinds
    assert Event.objects.get(event_type="resolved").detail["release_kind"] == "approved"


def test_narrowing_keeps_what_the_claim_was_and_frees_the_rest(api, held):
    row, sibling = ask(api, held)[1], ask(api, held, "carol")[1]
    status, body = answer(api, row, "narrowed", narrowed_pattern="src/a/**", engineer="alice")
    assert status == 200
    assert api.get(f"/requests/{sibling['id']}")[1]["decision"] == "resolved"
    assert Event.objects.get(event_type="resolved").detail["release_kind"] == "narrowed"
    new = Claim.objects.get(id=body["claim_ids"][0])
    assert (new.pattern, new.engineer, new.session_id) == ("src/a/**", "alice", "sa")
    assert expiry(new.id) == FULL
    assert new.fence > Claim.objects.get(id=held).fence
    assert api.claim("bob", "src/b.py", repo="org/app")[0] == 200
    assert api.claim("bob", "src/a/x.py", repo="org/app")[0] == 409


def test_a_narrowed_scope_must_lie_inside(api, held):
    row = ask(api, held)[1]
    status, body = answer(api, row, "narrowed", narrowed_pattern="*/a.py", engineer="alice")
    assert status == 400
    assert "not inside" in body["detail"]
    assert Claim.objects.get(id=held).released_at is None


def test_narrowing_keeps_symbols(api, clock):
    items = [{"type": "file", "pattern": "f.py", "symbols": ["foo"], "narrowable": False}]
    held = api.post("/claims", {"engineer": "alice", "session_id": "sa", "claims": items})[1]["claim_ids"][0]
    row = ask(api, held)[1]
    _, body = answer(api, row, "narrowed", narrowed_pattern="f.py", engineer="alice")
    new = Claim.objects.get(id=body["claim_ids"][0])
    assert (new.scope_type, new.narrowable) == ("symbol", False)
    assert list(new.symbols.values_list("path", flat=True)) == ["foo"]


def test_coexist_is_for_the_agreed_scope_only(api, held):
    row = ask(api, held, session_id="sb")[1]
    status, body = answer(api, row, "coexist", coexist_pattern="src/a.py", engineer="alice")
    assert status == 200
    assert len(body["claim_ids"]) == 1
    assert expiry(held) == FULL
    assert api.claim("bob", "src/a.py", session_id="sb", repo="org/app")[1]["claim_ids"] == body["claim_ids"]
    assert api.claim("bob", "src/b.py", session_id="sb", repo="org/app")[0] == 409
    assert api.claim("carol", "src/a.py", repo="org/app")[0] == 409


def test_coexist_works_for_a_party_without_a_session(api, held):
    row = ask(api, held)[1]
    answer(api, row, "coexist", coexist_pattern="src/lib/**", engineer="alice")
    check = "/conflicts?engineer=bob&repo=org/app&pattern="
    assert api.get(f"{check}src/lib/x.py")[1]["has_conflicts"] is False
    assert api.get(f"{check}src/x.py")[1]["has_conflicts"] is True
    assert api.claim("bob", "src/lib/x.py", repo="org/app")[0] == 200


def test_coexist_is_checked_against_third_parties_and_containment(api, clock):
    held = api.claim("alice", "c.py")[1]["claim_ids"][0]
    api.claim("carol", "other/**")
    row = ask(api, held)[1]
    for pattern in ("other/**", "!neg"):
        assert answer(api, row, "coexist", coexist_pattern=pattern, engineer="alice")[0] == 400
    assert Claim.objects.filter(engineer="bob").count() == 0


def test_coexist_is_refused_where_a_third_party_was_let_in(api, held):
    carols = ask(api, held, "carol")[1]
    assert answer(api, carols, "coexist", coexist_pattern="src/lib/**", engineer="alice")[0] == 200
    row = ask(api, held)[1]
    status, body = answer(api, row, "coexist", coexist_pattern="src/lib/x.py", engineer="alice")
    assert status == 409
    assert body["detail"] == "'src/lib/x.py' is held by carol as 'src/lib/**' too."
    assert api.get(f"/requests/{row['id']}")[1]["decision"] == "pending"
    assert Claim.objects.filter(engineer="bob").count() == 0


def test_a_cut_lease_that_runs_out_expires_the_request(api, held, clock):
    row = ask(api, held)[1]
    clock.advance(300)
    assert api.claim("bob", "src/a.py", repo="org/app")[0] == 200
    assert api.get(f"/requests/{row['id']}")[1]["decision"] == "expired"


@pytest.mark.parametrize(("seconds", "cut", "decision"), [(300, True, "expired"), (1800, False, "resolved")])
def test_a_claim_that_ended_ends_its_request_whether_a_sweep_has_run_or_not(
    api, held, clock, config, seconds, cut, decision
):
    config(request_ttl_short_sec=300 if cut else 4 * 3600)
    row = ask(api, held)[1]
    clock.advance(seconds)
    assert [entry["kind"] for entry in api.get("/sessions/sa/pending_requests")[1]["pending"]] == [
        "lease-lost"
    ]
    seen = api.get(f"/requests/{row['id']}")[1]
    assert (seen["decision"], seen["decided_at"]) == (decision, iso(clock()))
    for wanted, count in (("pending", 0), (decision, 1), ("denied", 0), ("", 1)):
        _, listed = api.get(f"/requests?decision={wanted}")
        assert [found["decision"] for found in listed["requests"]] == [decision] * count
    assert ReleaseRequest.objects.get().decision == "pending", "nothing was swept"


def test_the_inbox_shows_requests_refusals_and_lost_leases(api, held, clock):
    ask(api, held)
    api.claim("carol", "src/x.py", repo="org/app")
    _, body = api.get("/sessions/sa/pending_requests")
    assert [entry["kind"] for entry in body["pending"]] == ["request", "auto-conflict"]
    api.get("/sessions/sa/pending_requests")
    assert Event.objects.filter(event_type="notified").count() == 1
    clock.advance(301)
    api.claim("bob", "src/x.py", repo="org/app")
    _, body = api.get("/sessions/sa/pending_requests")
    (lost,) = body["pending"]
    assert (lost["kind"], lost["reason"], lost["held_now_by"]) == ("lease-lost", "expired", "bob")


def test_unknown_and_ended_claims(api, held):
    status, body = ask(api, "nope")
    assert (status, body["detail"]) == (404, "\"unknown claim_id 'nope'\"")
    api.delete(f"/claims/{held}")
    status, body = ask(api, held)
    assert status == 409
    assert body["detail"].startswith(f"claim {held} is no longer active (released_at=")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"decision": "maybe"}, "approved, denied, narrowed, coexist"),
        ({"decision": "narrowed"}, "narrowed_pattern"),
        ({"decision": "coexist"}, "coexist_pattern"),
    ],
)
def test_a_wrong_answer_is_a_400_that_says_why(api, held, body, words):
    row = ask(api, held)[1]
    status, refused = api.post(f"/requests/{row['id']}/respond", {"engineer": "alice", **body})
    assert status == 400
    assert words in refused["detail"]
