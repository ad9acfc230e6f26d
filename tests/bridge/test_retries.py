"""Calls that fail on the way: tried again with the same key, bounded, and never done twice."""

from __future__ import annotations

from typing import Any

import pytest

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.service import Retry, number

from .clock import Clock
from .fake_service import FakeService

BUSY = (503, {"detail": "Busy", "code": "unavailable", "retry_after_s": 2})


async def test_it_retries_a_dropped_reply_with_the_same_key(call: Any, fake: FakeService) -> None:
    fake.fail("POST", "/claims", "drop")
    reply = await call("claim_files", patterns=["a.py"])
    first, second = fake.calls("POST", "/claims")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert list(fake.claims) == reply["claim_ids"]


async def test_it_uses_a_new_key_for_each_call(call: Any, fake: FakeService) -> None:
    await call("claim_files", patterns=["a.py"])
    await call("claim_files", patterns=["b.py"])
    assert len({sent.headers["idempotency-key"] for sent in fake.calls("POST", "/claims")}) == 2


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_it_retries_a_service_that_is_starting(call: Any, fake: FakeService, status: int) -> None:
    fake.fail("POST", "/claims", (status, {}), (status, {}), (status, {}))
    reply = await call("claim_files", patterns=["a.py"])
    assert len(reply["claim_ids"]) == 1
    assert len(fake.calls("POST", "/claims")) == 4


async def test_it_gives_up_after_four_attempts(call: Any, fake: FakeService) -> None:
    fake.fail("POST", "/claims", *["refuse"] * 9)
    reply = await call("claim_files", patterns=["a.py"])
    assert reply["code"] == "unreachable"
    assert len(fake.calls("POST", "/claims")) == 4


async def test_it_waits_as_long_as_the_service_asks(call: Any, fake: FakeService, clock: Clock) -> None:
    fake.fail("POST", "/claims", BUSY)
    await call("claim_files", patterns=["a.py"])
    assert clock.slept == [2]


async def test_it_returns_at_once_when_the_service_asks_for_long(
    call: Any, fake: FakeService, clock: Clock
) -> None:
    fake.fail("POST", "/claims", (503, {"detail": "Busy", "retry_after_s": 60}))
    reply = await call("claim_files", patterns=["a.py"])
    assert reply["retry_after_s"] == 60
    assert clock.slept == []


async def test_it_waits_for_its_own_call_in_flight(call: Any, fake: FakeService) -> None:
    fake.fail("POST", "/claims", (409, {"detail": "In flight", "code": "in_flight", "retry_after_s": 1}))
    reply = await call("claim_files", patterns=["a.py"])
    assert len(reply["claim_ids"]) == 1
    assert len({sent.headers["idempotency-key"] for sent in fake.calls("POST", "/claims")}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
async def test_it_does_not_retry_a_refusal(call: Any, fake: FakeService, status: int) -> None:
    fake.fail("POST", "/claims", (status, {"detail": "no"}))
    await call("claim_files", patterns=["a.py"])
    assert len(fake.calls("POST", "/claims")) == 1


async def test_reads_carry_no_key(call: Any, fake: FakeService) -> None:
    fake.fail("GET", "/claims", "drop")
    assert (await call("list_claims"))["count"] == 0
    assert ["idempotency-key" in sent.headers for sent in fake.seen] == [False, False]


MUTATIONS: list[tuple[str, dict[str, Any], str]] = [
    ("release_claims", {"claim_ids": ["x"]}, "POST"),
    ("release_session", {}, "POST"),
    ("extend_claim", {"claim_id": "x"}, "POST"),
    ("request_release", {"claim_id": "x", "reason": "r", "wait_seconds": 0}, "POST"),
    ("respond_to_request", {"request_id": "x", "decision": "denied"}, "POST"),
    ("cancel_queue_request", {"queue_id": "x"}, "DELETE"),
]


@pytest.mark.parametrize(("name", "given", "method"), MUTATIONS)
async def test_every_change_is_retried_safely(
    call: Any, fake: FakeService, name: str, given: dict[str, Any], method: str
) -> None:
    fake.fail(method, "/", "drop", "refuse")
    await call(name, **given)
    sent = [seen for seen in fake.seen if seen.method == method]
    assert len(sent) == 3
    assert len({seen.headers["idempotency-key"] for seen in sent}) == 1
    assert {seen.headers["x-coord-session"] for seen in sent} == {"SA"}


async def test_it_stays_within_its_budget(bridge: Bridge, fake: FakeService, clock: Clock) -> None:
    fake.fail("GET", "/claims", *["refuse"] * 99)
    bridge.service.retry = Retry(attempts=20, base_delay=60, max_delay=60)
    await bridge.service.get("/claims", budget=30)
    assert clock.passed < 30


def test_delays_grow_to_a_cap_with_full_jitter() -> None:
    retry = Retry(base_delay=0.1, max_delay=5)
    assert all(0 <= retry.delay(attempt) <= min(5, 0.1 * 2**attempt) for attempt in range(12))
    assert len({retry.delay(10) for _ in range(20)}) > 1


def test_it_reads_its_variables() -> None:
    environ = {
        "COORD_RETRY_MAX_ATTEMPTS": "2",
        "COORD_RETRY_BASE_DELAY": "0.5",
        "COORD_RETRY_MAX_DELAY": "1",
    }
    assert Retry.from_environ(environ, print) == Retry(2, 0.5, 1)
    assert Retry.from_environ({}, print) == Retry(4, 0.1, 5)


@pytest.mark.parametrize("text", ["x", "-1", "61", "nan", "inf"])
def test_a_bad_variable_keeps_the_default_and_is_said(text: str) -> None:
    said: list[str] = []
    assert number({"N": text}, "N", 3, (0, 60), said.append) == 3
    assert "N=" in said[0]
    assert "0 to 60" in said[0]
