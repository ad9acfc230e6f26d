"""Retries: the same call with the same key is answered once."""

from __future__ import annotations

import pytest

from claims.idempotency import forget_old
from claims.models import Claim, StoredAnswer
from webhooks.models import Event

HEADERS = pytest.mark.parametrize("header", ["Idempotency_Key", "X_Coord_Idempotency_Key"])
BODY = {"engineer": "alice", "claims": [{"type": "file", "pattern": "a.py"}], "repo": "org/app"}


@HEADERS
def test_the_answer_is_replayed_and_nothing_is_done_again(api, clock, header):
    first = api.post("/claims", BODY, **{header: "k1"})
    clock.advance(60)
    second = api.post("/claims", BODY, **{header: "k1"})
    assert first == second
    assert first[0] == 200
    assert Claim.objects.count() == Event.objects.count() == 1


def test_a_replay_says_what_was_said_then(api, clock):
    _, first = api.post("/claims", BODY, Idempotency_Key="k1")
    api.delete(f"/claims/{first['claim_ids'][0]}")
    status, again = api.post("/claims", BODY, Idempotency_Key="k1")
    assert (status, again) == (200, first)
    assert Claim.objects.filter(released_at=None).count() == 0


def test_another_body_under_the_same_key_is_a_422(api, clock):
    api.post("/claims", BODY, Idempotency_Key="k1")
    status, body = api.post("/claims", {**BODY, "engineer": "bob"}, Idempotency_Key="k1")
    assert status == 422
    assert body["code"] == "idempotency_mismatch"
    assert body["detail"] == "This Idempotency-Key was used for another request."
    assert body["next"]
    assert Claim.objects.count() == 1


def test_another_path_under_the_same_key_is_a_422(api, clock):
    _, made = api.post("/claims", BODY, Idempotency_Key="k1")
    assert api.delete(f"/claims/{made['claim_ids'][0]}", Idempotency_Key="k1")[0] == 422
    assert Claim.objects.filter(released_at=None).count() == 1


def test_another_key_is_another_call(api, clock):
    _, first = api.claim("alice", "a.py", session_id="sa")
    status, second = api.post("/claims", {**BODY, "repo": None, "session_id": "sa"}, Idempotency_Key="other")
    assert status == 200
    assert second["claim_ids"] == first["claim_ids"]


def test_a_refusal_is_not_kept(api, clock):
    _, held = api.claim("bob", "a.py", repo="org/app")
    assert api.post("/claims", BODY, Idempotency_Key="k1")[0] == 409
    assert not StoredAnswer.objects.exists()
    api.delete(f"/claims/{held['claim_ids'][0]}")
    assert api.post("/claims", BODY, Idempotency_Key="k1")[0] == 200


@pytest.mark.parametrize("bad", [{**BODY, "claims": []}, {**BODY, "ttl_hours": -1}])
def test_a_bad_call_is_not_kept(api, clock, bad):
    assert api.post("/claims", bad, Idempotency_Key="k1")[0] in (400, 422)
    assert api.post("/claims", BODY, Idempotency_Key="k1")[0] == 200


def test_releases_and_extensions_are_replayed(api, clock):
    claim_id = api.post("/claims", BODY)[1]["claim_ids"][0]
    extended = api.post(f"/claims/{claim_id}/extend", {"engineer": "alice"}, Idempotency_Key="e")
    clock.advance(600)
    assert api.post(f"/claims/{claim_id}/extend", {"engineer": "alice"}, Idempotency_Key="e") == extended
    for call in (
        lambda: api.post("/claims/release", {"claim_ids": [claim_id]}, Idempotency_Key="r"),
        lambda: api.post("/claims/release", {"claim_ids": [claim_id]}, Idempotency_Key="r"),
    ):
        assert call() == (200, {"released": 1})
    assert Event.objects.filter(event_type="claim_extended").count() == 1
    assert Event.objects.filter(event_type="claim_released").count() == 1


def test_a_deletion_and_the_end_of_a_session_are_replayed(api, clock):
    claim_id = api.post("/claims", {**BODY, "session_id": "sa"})[1]["claim_ids"][0]
    for _ in range(2):
        assert api.delete(f"/claims/{claim_id}", Idempotency_Key="d")[1] == {"released": 1}
    api.claim("alice", "b.py", session_id="sa")
    for _ in range(2):
        assert api.post("/sessions/sa/release", Idempotency_Key="s")[1] == {"released": 1}


def test_a_place_in_line_that_outlives_its_call_is_given_once(api, clock):
    api.claim("bob", "a.py", repo="org/app")
    waiting = {**BODY, "wait_seconds": 0, "hold_place_seconds": 60}
    first = api.post("/claims", waiting, Idempotency_Key="k1")
    assert first[0] == 202
    assert api.post("/claims", waiting, Idempotency_Key="k1") == first
    assert api.get("/requests?queued=true")[1]["count"] == 1


@pytest.mark.parametrize("key", ["k" * 201, "k" * 5000])
def test_a_key_has_a_length(api, clock, key):
    status, body = api.post("/claims", BODY, Idempotency_Key=key)
    assert status == 400
    assert "200 are allowed" in body["detail"]
    assert not Claim.objects.exists()


def test_a_key_is_kept_for_a_day(api, clock):
    api.post("/claims", BODY, Idempotency_Key="k1")
    clock.advance(24 * 3600 - 1)
    assert forget_old() == 0
    clock.advance(2)
    assert forget_old() == 1


def test_without_a_key_a_session_is_given_the_claim_it_has(api, clock):
    body = {**BODY, "session_id": "sa"}
    _, first = api.post("/claims", body)
    _, second = api.post("/claims", body)
    assert first["claim_ids"] == second["claim_ids"]
    assert first["claims"][0]["fence"] == second["claims"][0]["fence"]
    assert Claim.objects.count() == 1


def test_without_session_an_engineer_is_given_the_claim_it_has(api, clock):
    _, first = api.post("/claims", BODY)
    _, second = api.post("/claims", BODY)
    assert first["claim_ids"] == second["claim_ids"]
    assert Claim.objects.count() == 1


def test_a_claim_held_already_never_gets_a_shorter_lease(api, clock):
    _, long = api.post("/claims", {**BODY, "ttl_hours": 9})
    _, again = api.post("/claims", {**BODY, "ttl_hours": 1})
    assert again["claims"][0]["expires_at"] == long["claims"][0]["expires_at"]
    _, longer = api.post("/claims", {**BODY, "ttl_hours": 12})
    assert longer["claims"][0]["expires_at"] == "2026-11-24T00:00:00Z"
