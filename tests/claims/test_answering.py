"""Who may answer a release request, agreeing on symbols, what the answer leaves behind."""

from __future__ import annotations

import pytest

from claims.models import Claim, Partnership, ReleaseRequest
from webhooks.models import Event

REPO = "org/app"


@pytest.fixture
def held(api, clock):
    """alice's claim, of session ``sa``."""
    return api.claim("alice", "src/**", session_id="sa", repo=REPO)[1]["claim_ids"][0]


@pytest.fixture
def asked(api, held):
    """bob's request for it, of session ``sb``."""
    body = {"claim_id": held, "requester": "bob", "session_id": "sb", "wait_seconds": 0}
    return api.post("/requests", body)[1]["id"]


def respond(api, request_id, decision="denied", **fields):
    return api.post(f"/requests/{request_id}/respond", {"decision": decision, **fields})


@pytest.mark.parametrize(
    ("engineer", "token", "body", "status"),
    [
        ("alice", {}, {}, 200),
        ("alice", {}, {"session_id": "another-of-hers"}, 200),
        ("alice", {"session": "sa"}, {"engineer": "alice"}, 200),
        ("helper", {"session": "sa"}, {}, 403),
        ("bob", {}, {}, 403),
        ("bob", {"session": "sb"}, {"session_id": "sa"}, 403),
        ("bob", {}, {"engineer": "alice"}, 403),
        ("carol", {}, {}, 403),
        ("olga", {"role": "operator"}, {}, 200),
        ("olga", {"role": "operator", "session": "so"}, {}, 200),
        ("bob", {"role": "operator"}, {}, 403),
        ("bob", {"role": "operator", "session": "sb"}, {}, 403),
    ],
)
def test_the_token_says_who_answers(person, held, asked, engineer, token, body, status):
    who = person(engineer, **token)
    got, answer = respond(who, asked, **body)
    assert got == status, answer
    expected = "denied" if status == 200 else "pending"
    assert ReleaseRequest.objects.get(id=asked).decision == expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"engineer": "alice"}, 200),
        ({"session_id": "sa"}, 200),
        ({"engineer": "alice", "session_id": "another-of-hers"}, 200),
        ({"engineer": "bob"}, 403),
        ({"session_id": "sb"}, 403),
        ({"engineer": "alice", "session_id": "sb"}, 403),
        ({"engineer": "mallory"}, 403),
        ({"session_id": "somebody"}, 403),
    ],
)
def test_the_shared_token_is_believed_whom_it_names(api, held, asked, body, status):
    got, answer = respond(api, asked, **body)
    assert got == status, answer
    if status == 403:
        assert (answer["code"], answer["detail"]) == (
            "forbidden",
            "Only the holder (alice) may answer this request.",
        )
        assert "/requests/{id}" in answer["next"]


def test_agreeing_on_symbols_gives_those_symbols_and_no_others(api, clock):
    items = [{"type": "file", "pattern": "f.py", "narrowable": False}]
    body = {"engineer": "alice", "session_id": "sa", "repo": REPO, "claims": items}
    held = api.post("/claims", body)[1]["claim_ids"][0]
    request = api.post("/requests", {"claim_id": held, "requester": "bob", "wait_seconds": 0})[1]["id"]
    status, answer = respond(
        api, request, "coexist", coexist_symbols={"f.py": ["Login", "Logout"]}, engineer="alice"
    )
    assert status == 200
    claim = Claim.objects.get(id=answer["claim_ids"][0])
    assert (claim.scope_type, sorted(claim.symbols.values_list("path", flat=True))) == (
        "symbol",
        ["Login", "Logout"],
    )
    link = Partnership.objects.get()
    assert (link.kind, link.pattern, link.symbols) == ("coexist", "f.py", ["Login", "Logout"])

    def symbols(*names):
        items = [{"type": "file", "pattern": "f.py", "symbols": list(names)}]
        return api.post("/claims", {"engineer": "bob", "repo": REPO, "claims": items})[0]

    assert symbols("Login::check") == 200
    assert symbols("Other") == 409
    assert api.claim("bob", "f.py", repo=REPO)[0] == 409


def test_symbols_that_the_holder_works_on_are_not_agreed_to(api, clock):
    items = [{"type": "file", "pattern": "f.py", "symbols": ["Login"]}]
    held = api.post("/claims", {"engineer": "alice", "claims": items})[1]["claim_ids"][0]
    request = api.post("/requests", {"claim_id": held, "requester": "bob", "wait_seconds": 0})[1]["id"]
    status, body = respond(
        api, request, "coexist", coexist_symbols={"f.py": ["Login::check"]}, engineer="alice"
    )
    assert status == 400
    assert "Login" in body["detail"]
    assert not Claim.objects.filter(engineer="bob").exists()


def test_a_coexisting_claim_is_linked_to_all_that_it_meets(api, clock, held, asked):
    """carol works on one symbol inside; bob comes in beside her and alice."""
    items = [{"type": "file", "pattern": "src/a.py", "symbols": ["Login"]}]
    carol = api.post("/claims", {"engineer": "carol", "repo": REPO, "claims": items})[1]["claim_ids"][0]
    status, answer = respond(
        api, asked, "coexist", coexist_symbols={"src/a.py": ["Logout"]}, engineer="alice"
    )
    assert status == 200
    rows = {row["id"]: row for row in api.get(f"/claims?repo={REPO}")[1]["claims"]}
    assert set(rows[answer["claim_ids"][0]]["coexists_with"].strip('[]"').split('", "')) == {held, carol}


def test_coexisting_is_refused_where_neither_could_go_on(api, clock):
    """bob waits for carol, who stands in line for what alice would let bob into."""
    held = api.claim("alice", "s.py", session_id="sa", repo=REPO)[1]["claim_ids"][0]
    api.claim("carol", "h.py", session_id="sc", repo=REPO)
    api.claim("bob", "h.py", session_id="sb", repo=REPO, hold_place_seconds=600)
    api.claim("carol", "s.py", session_id="sc", repo=REPO, hold_place_seconds=600)
    body = {"claim_id": held, "requester": "bob", "session_id": "sb", "wait_seconds": 0}
    request = api.post("/requests", body)[1]["id"]
    status, answer = respond(api, request, "coexist", coexist_pattern="s.py", engineer="alice")
    assert (status, answer["code"]) == (409, "deadlock")
    assert respond(api, request, "denied", engineer="alice")[0] == 200


def test_a_cut_and_its_restoring_are_on_record(api, held, asked):
    respond(api, asked, engineer="alice", note="ten minutes")
    events = Event.objects.filter(event_type__in=("lease_shortened", "lease_restored")).order_by("seq")
    assert [(e.event_type, e.detail["expires_at"]) for e in events] == [
        ("lease_shortened", "2026-11-23T12:05:00Z"),
        ("lease_restored", "2026-11-23T16:00:00Z"),
    ]
    _, told = api.get(f"/requests/{asked}/events")
    assert [event["event_type"] for event in told["events"]] == ["filed", "responded"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/claims/{held}?engineer=alice", "voluntary"), ("/sessions/sa/release", "session-bulk")],
)
def test_giving_up_by_itself_resolves_the_request(api, held, asked, path, kind):
    path = path.format(held=held)
    assert (api.post(path) if "sessions" in path else api.delete(path))[1]["released"] == 1
    status, row = api.get(f"/requests/{asked}?wait=50")
    assert (status, row["decision"]) == (200, "resolved")
    event = Event.objects.get(event_type="resolved")
    assert event.detail["release_kind"] == kind


def test_the_inbox_and_answering_are_signs_of_life(api, held, asked, clock, config):
    config(idle_timeout_sec=100, request_ttl_short_sec=1000)
    for _ in range(3):
        clock.advance(60)
        assert api.get("/sessions/sa/pending_requests")[1]["count"] == 1
    clock.advance(60)
    respond(api, asked, session_id="sa")
    clock.advance(60)
    assert api.get(f"/claims?repo={REPO}")[1]["count"] == 1


def test_asking_is_a_sign_of_life(api, held, clock, config):
    config(idle_timeout_sec=100, request_ttl_short_sec=1000)
    mine = api.claim("bob", "b.py", session_id="sb", repo=REPO)[1]["claim_ids"][0]
    body = {"claim_id": held, "requester": "bob", "session_id": "sb", "wait_seconds": 0}
    for _ in range(3):
        clock.advance(60)
        api.post("/sessions/sa/heartbeat")
        assert api.post("/requests", body)[0] == 200
    assert api.get(f"/claims/{mine}")[1]["released_at"] is None
    assert api.claim("carol", "b.py", repo=REPO)[0] == 409


def test_narrowing_keeps_those_who_were_let_in_and_lie_inside(api, held, asked):
    beside = respond(api, asked, "coexist", coexist_pattern="src/lib/**", engineer="alice")[1]["claim_ids"][0]
    body = {"claim_id": held, "requester": "carol", "wait_seconds": 0}
    again = api.post("/requests", body)[1]["id"]
    kept = respond(api, again, "narrowed", narrowed_pattern="src/l*/**", engineer="alice")[1]["claim_ids"][0]
    rows = {row["id"]: row["coexists_with"] for row in api.get(f"/claims?repo={REPO}")[1]["claims"]}
    assert rows == {kept: f'["{beside}"]', beside: f'["{kept}"]'}
    assert api.claim("bob", "src/lib/x.py", session_id="sb", repo=REPO)[0] == 200
    assert api.claim("bob", "src/log/x.py", session_id="sb", repo=REPO)[0] == 409


def test_a_denial_with_another_request_open_keeps_the_cut(api, held, asked):
    second = api.post("/requests", {"claim_id": held, "requester": "carol", "wait_seconds": 0})[1]["id"]
    respond(api, asked, engineer="alice")
    assert api.get(f"/claims?repo={REPO}")[1]["claims"][0]["ttl_shortened"] == 1
    status, _ = respond(api, second, "coexist", coexist_pattern="src/lib/**", engineer="alice")
    assert status == 200
    rows = {row["id"]: row for row in api.get(f"/claims?repo={REPO}")[1]["claims"]}
    assert (rows[held]["ttl_shortened"], rows[held]["expires_at"]) == (0, "2026-11-23T16:00:00Z")
