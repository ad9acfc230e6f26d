"""Replies cut to size: what stays, what goes first, and never above the ceiling."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from coordsite.bridge import replies

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG = "é" * 900


def holder(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{number:036d}",
        "engineer": LONG,
        "pattern": LONG,
        "description": LONG,
        "expires_at": "2026-11-23T14:00:00Z",
        "symbols": [LONG] * 9,
        "seconds_left": 61,
        **more,
    }


def conflict(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"your_pattern": LONG, "conflicting_claim": holder(number), "next": LONG, **more}


def test_the_ceilings_are_the_promised_ones() -> None:
    assert (replies.GRANTED, replies.REFUSED) == (400, 700)


@pytest.mark.parametrize("conflicts", [1, 2, 40])
@pytest.mark.parametrize("warnings", [0, 1, 9])
@pytest.mark.parametrize("cycle", [0, 1, 9])
@pytest.mark.parametrize("status", [400, 409, 422, 500])
def test_a_refusal_never_exceeds_its_ceiling(conflicts: int, warnings: int, cycle: int, status: int) -> None:
    link = {"engineer": LONG, "waits_for": LONG, "held_by": LONG, "claim_id": "c"}
    body = {
        "claim_ids": [],
        "conflicts": [conflict(number) for number in range(conflicts)],
        "warnings": [LONG] * warnings,
        "options": [LONG] * 9,
        "detail": LONG,
        "code": LONG,
        "next": LONG,
        "queue_id": LONG,
        "position": 3,
        "cycle": [link] * cycle,
        "release_first": "c1",
    }
    reply = replies.claimed(status, body)
    assert replies.size(reply) <= replies.REFUSED
    assert reply["conflicts"][0]["conflicting_claim"]["id"] == f"{0:036d}"
    assert reply["next"]


def test_a_deadlock_names_the_cycle_in_words() -> None:
    links = [
        {"engineer": "bob", "session": "d3…", "waits_for": "A.py", "held_by": "alice", "claim_id": "c1"},
        {"engineer": "alice", "session": "f7…", "waits_for": "B.py", "held_by": "bob", "claim_id": "c2"},
    ]
    body = {
        "conflicts": [],
        "code": "deadlock",
        "cycle": links,
        "release_first": "c2",
        "next": "Release B.py.",
    }
    reply = replies.claimed(409, body)
    assert reply["cycle"] == ["bob waits for A.py of alice", "alice waits for B.py of bob"]
    assert (reply["code"], reply["release_first"], reply["next"]) == ("deadlock", "c2", "Release B.py.")


def test_a_place_in_line_that_stands_before_is_marked() -> None:
    reply = replies.claimed(409, {"conflicts": [conflict(kind="queued")], "code": "queued"})
    assert reply["conflicts"][0]["kind"] == "queued"
    assert reply["conflicts"][0]["minutes_left"] == 2


def test_warnings_of_a_grant_are_cut_before_its_claims() -> None:
    claim = {"id": "c" * 36, "pattern": "a.py", "fence": 7, "expires_at": "2026-11-23T14:00:00Z"}
    body = {"claim_ids": [claim["id"]], "claims": [claim], "warnings": ["w" * 500] * 12}
    reply = replies.claimed(200, body)
    assert replies.size(reply) <= replies.GRANTED
    assert reply["claim_ids"] == [claim["id"]]
    assert "more warnings" in reply["warnings"][-1]


@pytest.mark.parametrize(
    ("moment", "minutes"),
    [
        ("2026-11-23T12:00:00Z", 0),
        ("2026-11-23T12:00:01Z", 1),
        ("2026-11-23T13:00:00Z", 60),
        ("2026-11-23T13:00:00", 60),
        ("2020-01-01T00:00:00Z", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_minutes_are_rounded_up(moment: str | None, minutes: int | None) -> None:
    assert replies.minutes_left(moment, NOW) == minutes


def test_a_row_stays_below_the_ceiling_and_keeps_its_identity() -> None:
    body = {
        "id": "r1",
        "decision": "narrowed",
        "reason": LONG,
        "note": LONG,
        "claim_ids": ["c"] * 40,
        "x": [LONG] * 40,
    }
    reply = replies.row(body)
    assert replies.size(reply) <= replies.REFUSED
    assert (reply["id"], reply["decision"]) == ("r1", "narrowed")


@pytest.mark.parametrize(
    "text", ["", "a", "a" * 20, "src/some/very/long/path/to/a/file.py", "é" * 99, "a\n b\t c"]
)
def test_clipping_keeps_both_ends_on_one_line(text: str) -> None:
    short = replies.clip(text, 20)
    assert len(short) <= 20
    assert "\n" not in short
    assert short[:5] == " ".join(text.split())[:5]
    assert short[-5:] == " ".join(text.split())[-5:]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"detail": None},
        {"detail": []},
        {"detail": [3, {"loc": None}]},
        {"conflicts": "x", "warnings": None, "options": None},
        {"conflicts": [None, {}], "cycle": 3},
        {"claim_ids": ["a"], "claims": [None]},
    ],
)
@pytest.mark.parametrize("status", [0, 200, 202, 400, 409, 422, 500])
def test_odd_bodies_still_give_a_reply(status: int, body: Any) -> None:
    reply = replies.claimed(status, body)
    assert set(reply) >= {"claim_ids", "conflicts", "warnings", "options"}
    assert replies.refusal(status, body)["detail"]
