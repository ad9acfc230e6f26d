"""Waiting on virtual time: slices, progress, the end of the time, and nothing left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.replies import size
from coordsite.bridge.service import Answer

from .clock import Clock
from .fake_service import FakeService


@pytest.fixture
def held(fake: FakeService) -> str:
    return fake.hold("a.py", repo="org/app")


async def test_it_gets_the_file_beyond_any_http_timeout(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    clock.at(100, lambda: fake.release(held))
    reply = await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=300)
    assert reply["claims"][0]["pattern"] == "a.py"
    assert fake.held_by("SA") == ["a.py"]
    assert 100 <= clock.passed <= 130
    assert not fake.calls("DELETE", "/requests")


async def test_it_asks_in_slices_and_keeps_its_place(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=60)
    [first] = fake.calls("POST", "/claims")
    assert first.body
    assert (first.body["wait_seconds"], first.body["hold_place_seconds"]) == (1, 60)
    looks = fake.calls("GET", "/requests/queue/")
    assert [look.query["wait"] for look in looks] == [["25"], ["25"], ["9"]]
    assert len({look.path for look in looks}) == 1


async def test_it_leaves_the_line_when_the_time_is_up(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    reply = await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=60)
    assert reply["claim_ids"] == []
    assert (reply["code"], reply["position"]) == ("timeout", 1)
    assert reply["next"] == f"Ask bob with request_release (claim_id {held}), or work elsewhere."
    assert reply["conflicts"][0]["conflicting_claim"]["id"] == held
    assert size(reply) <= 700
    assert clock.passed == 60
    [ticket] = fake.tickets.values()
    assert ticket["state"] == "cancelled"


async def test_it_takes_a_grant_that_comes_with_the_last_second(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    seen = fake.answer

    def at_the_end(request: Any) -> Any:
        if request.method == "DELETE":
            fake.release(held)
        return seen(request)

    fake.answer = at_the_end  # type: ignore[method-assign]
    reply = await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=30)
    assert reply["claims"][0]["pattern"] == "a.py"
    assert fake.held_by("SA") == ["a.py"]


async def test_it_reports_where_it_stands(call: Any, clock: Clock, held: str) -> None:
    await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=60)
    place = "position 1, held by bob, about 30 s"
    assert call.progress == [(1.0, 60.0, place), (26.0, 60.0, place), (51.0, 60.0, place)]


@pytest.mark.parametrize("code", ["deadlock", "cancelled", "timeout", "queued"])
async def test_it_says_why_a_wait_ended(
    call: Any, fake: FakeService, clock: Clock, held: str, code: str
) -> None:
    def end() -> None:
        for ticket in fake.tickets.values():
            ticket["state"] = code

    clock.at(30, end)
    reply = await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=600)
    assert reply["code"] == code
    assert clock.passed <= 60
    assert not fake.calls("DELETE", "/requests")


async def test_it_returns_a_refusal_to_queue_at_once(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    cycle = {"detail": "A cycle", "code": "deadlock", "conflicts": [], "next": "Release b.py first."}
    fake.fail("POST", "/claims", (409, cycle))
    reply = await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=600)
    assert (reply["code"], reply["next"]) == ("deadlock", "Release b.py first.")
    assert clock.passed == 0


async def test_it_waits_through_an_outage(call: Any, fake: FakeService, clock: Clock, held: str) -> None:
    fake.fail("GET", "/requests/queue", *["refuse"] * 6, (503, {"detail": "starting"}))
    clock.at(100, lambda: fake.release(held))
    reply = await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=300)
    assert reply["claims"][0]["pattern"] == "a.py"


async def test_it_never_outlasts_what_was_asked(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    fake.fail("GET", "/requests/queue", *["refuse"] * 10_000)
    reply = await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=120)
    assert reply["code"] == "unreachable"
    assert clock.passed <= 120 + 10
    [ticket] = fake.tickets.values()
    assert ticket["state"] == "cancelled"


async def test_it_does_not_spin_when_slices_come_back_at_once(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    fake.park = lambda seconds: None
    await call("claim_files", engineer="alice", patterns=["a.py"], wait_seconds=60)
    assert len(fake.calls("GET", "/requests/queue/")) <= 61


async def test_it_gives_up_a_grant_that_comes_after_the_call_was_cancelled(
    bridge: Bridge, call: Any, fake: FakeService, held: str
) -> None:
    """The first answer is on its way when the client cancels: its claims must not stay behind."""
    sent, answered = anyio.Event(), anyio.Event()
    real = bridge.service.post

    async def slow(path: str, body: Any, **more: Any) -> Answer:
        if path != "/claims":
            return await real(path, body, **more)
        sent.set()
        await answered.wait()
        return await real(path, body, **more)

    bridge.service.post = slow  # type: ignore[method-assign]
    async with anyio.create_task_group() as group:

        async def claim() -> None:
            await call("claim_files", engineer="alice", patterns=["free.py"], wait_seconds=30)

        group.start_soon(claim)
        await sent.wait()
        group.cancel_scope.cancel()
        asyncio.get_running_loop().call_soon(answered.set)
    assert fake.calls("POST", "/claims/release")
    assert fake.held_by("SA") == []


async def test_it_keeps_a_claim_that_was_held_before(bridge: Bridge, call: Any, fake: FakeService) -> None:
    granted = await call("claim_files", engineer="alice", patterns=["mine.py"])
    sent, answered = anyio.Event(), anyio.Event()

    async def slow(path: str, body: Any, **more: Any) -> Answer:
        sent.set()
        await answered.wait()
        return Answer(200, {"claim_ids": granted["claim_ids"]})

    bridge.service.post = slow  # type: ignore[method-assign]
    async with anyio.create_task_group() as group:

        async def claim() -> None:
            await call("claim_files", engineer="alice", patterns=["mine.py"], wait_seconds=30)

        group.start_soon(claim)
        await sent.wait()
        group.cancel_scope.cancel()
        asyncio.get_running_loop().call_soon(answered.set)
    assert fake.held_by("SA") == ["mine.py"]


async def test_it_waits_for_a_decision_in_slices(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    clock.at(70, lambda: fake.decide(next(iter(fake.requests)), "approved"))
    reply = await call("request_release", claim_id=held, reason="need it", wait_seconds=300)
    assert reply["decision"] == "approved"
    assert 70 <= clock.passed <= 100
    [filed] = fake.calls("POST", "/requests")
    assert filed.body
    assert (filed.body["requester"], filed.body["session_id"]) == ("alice", "SA")
    assert call.progress[0] == (25.0, 300.0, "not decided yet")


async def test_it_returns_a_request_undecided_in_time(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    reply = await call("request_release", claim_id=held, reason="need it")
    assert reply["decision"] == "pending"
    assert clock.passed == 60
    again = await call("wait_for_request", request_id=reply["id"], timeout=30)
    assert again["decision"] == "pending"
    assert clock.passed == 90


async def test_it_polls_where_the_service_does_not_wait(
    call: Any, fake: FakeService, clock: Clock, held: str
) -> None:
    fake.park = lambda seconds: None
    reply = await call("request_release", claim_id=held, reason="need it", wait_seconds=0)
    clock.at(10, lambda: fake.decide(reply["id"], "denied"))
    again = await call("wait_for_request", request_id=reply["id"], timeout=60)
    assert again["decision"] == "denied"
    assert clock.passed == 10
    assert len(fake.calls("GET", "/requests/")) == 11


async def test_it_returns_the_404_of_an_unknown_request(call: Any, clock: Clock) -> None:
    reply = await call("wait_for_request", request_id="nope")
    assert (reply["status"], reply["detail"]) == (404, "request not found")
    assert clock.passed == 0
