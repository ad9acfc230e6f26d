"""Signs of life, and what an agent must hear without asking: told once."""

from __future__ import annotations

from typing import Any

import anyio

from coordsite.bridge.bridge import Bridge
from coordsite.bridge.heartbeat import beat, once
from coordsite.bridge.notices import Notices
from coordsite.bridge.server import _run
from coordsite.bridge.tools import BY_NAME

from .clock import Clock
from .fake_service import FakeService

LOST = {"claim_id": "c1", "pattern": "src/a.py", "reason": "expired", "held_now_by": "bob"}
TEXT = "Lease lost: src/a.py (expired); bob holds it now. Claim it again before you edit it."


async def reply_of(bridge: Bridge, name: str) -> dict[str, Any]:
    result = await _run(BY_NAME[name], {}, bridge, None)  # type: ignore[arg-type]
    return result.structured_content


async def test_it_renews_the_session(bridge: Bridge, fake: FakeService) -> None:
    await once(bridge)
    [sent] = fake.calls("POST", "/sessions/SA/heartbeat")
    assert sent.headers["x-coord-session"] == "SA"


async def test_it_beats_for_as_long_as_the_process_lives(
    bridge: Bridge, fake: FakeService, clock: Clock
) -> None:
    async with anyio.create_task_group() as group:
        clock.at(60 * 5, group.cancel_scope.cancel)
        group.start_soon(beat, bridge, 60)
    assert len(fake.calls("POST", "/sessions/SA/heartbeat")) >= 4
    assert set(clock.slept) == {60}


async def test_a_lost_lease_is_told_once(bridge: Bridge, fake: FakeService) -> None:
    fake.lost = [LOST]
    await once(bridge)
    await once(bridge)
    assert (await reply_of(bridge, "list_claims"))["coord_notice"] == TEXT
    assert "coord_notice" not in await reply_of(bridge, "list_claims")
    await once(bridge)
    assert "coord_notice" not in await reply_of(bridge, "list_claims")


async def test_a_lost_lease_read_in_the_inbox_is_not_told_again(bridge: Bridge, fake: FakeService) -> None:
    fake.lost = [LOST]
    fake.inbox = [{"kind": "lease-lost", **LOST}]
    reply = await reply_of(bridge, "pending_requests")
    assert reply["pending"] == fake.inbox
    await once(bridge)
    assert "coord_notice" not in await reply_of(bridge, "list_claims")


async def test_a_lost_lease_given_as_an_id_is_told(bridge: Bridge, fake: FakeService) -> None:
    fake.lost = ["c9"]  # type: ignore[list-item]
    await once(bridge)
    assert "c9" in (await reply_of(bridge, "list_claims"))["coord_notice"]


async def test_an_unreachable_service_stops_nothing(bridge: Bridge, fake: FakeService) -> None:
    fake.fail("POST", "/sessions", "refuse", (500, {}), (404, {}))
    for _ in range(3):
        await once(bridge)
    assert len(fake.calls("POST", "/sessions")) == 3
    assert "coord_notice" not in await reply_of(bridge, "list_claims")


async def test_a_warning_of_the_service_is_passed_on_once(bridge: Bridge, fake: FakeService) -> None:
    fake.response_headers = {"X-Coord-Token-Warning": "This token sees every repository."}
    reply = await reply_of(bridge, "list_claims")
    assert reply["coord_notice"] == "This token sees every repository."
    assert "coord_notice" not in await reply_of(bridge, "list_claims")


def test_notices_are_bounded_and_none_is_lost() -> None:
    notices = Notices()
    for number in range(20):
        notices.add(str(number), f"{number}:" + "x" * 100)
    told: list[str] = []
    while (text := notices.take()) is not None:
        assert len(text) <= 300
        told.append(text)
    assert [part.split(":")[0] for part in " ".join(told).split()] == [str(n) for n in range(20)]
