"""Waiting in slices: a place in the queue, a grant picked up, and nothing left behind when the call ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import anyio

from coordsite.bridge.bridge import Bridge, Report
from coordsite.bridge.service import Answer


async def claim(bridge: Bridge, body: Mapping[str, Any], wait: int, report: Report) -> Answer:
    """Ask for claims and, when refused, stand in line for ``wait`` seconds at most.

    The answer is the service's last word: granted (200), refused (409; with ``code`` ``timeout`` and the
    position when time ran out), or another refusal. A cancelled call gives its place and anything granted
    meanwhile up again.
    """
    if wait <= 0:
        return await bridge.service.post("/claims", body)
    wait_ = _Wait(bridge, wait, report)
    try:
        return await wait_.run(body)
    except asyncio.CancelledError:
        with anyio.move_on_after(bridge.pace.cleanup, shield=True):
            await wait_.abandon()
        raise


class _Wait:
    """One wait: the first call, the slices and the end."""

    def __init__(self, bridge: Bridge, wait: int, report: Report) -> None:
        self.bridge = bridge
        self.wait = wait
        self.report = report
        self.started = bridge.monotonic()
        self.queue_id: str | None = None
        self._first: asyncio.Task[Answer] | None = None

    async def run(self, body: Mapping[str, Any]) -> Answer:
        answer = await self._enter(body)
        if answer.status != 202:
            return answer
        place = answer
        while (left := self._left()) > 0:
            await self._tell(place)
            before = self.bridge.monotonic()
            answer = await self._look(min(self.bridge.pace.slice, max(1, round(left))))
            if answer.status == 202:
                place = answer
            elif answer.status not in (0, 502, 503, 504):
                return answer
            await self._pause(place, before)
        return await self._time_is_up(place, answer)

    async def _enter(self, body: Mapping[str, Any]) -> Answer:
        """The first call, in a task of its own: once sent, its answer is awaited even when cancelled."""
        first = min(self.bridge.pace.first, self.wait)
        asked = {**body, "wait_seconds": first, "hold_place_seconds": self.wait}
        budget = first + self.bridge.pace.grace
        self._first = asyncio.ensure_future(self.bridge.service.post("/claims", asked, budget=budget))
        answer = await asyncio.shield(self._first)
        self._first = None
        self._note(answer)
        return answer

    async def _look(self, slice_: int) -> Answer:
        budget = slice_ + self.bridge.pace.grace
        return await self.bridge.service.get(self._path(), [("wait", slice_)], budget=budget)

    async def _pause(self, place: Answer, before: float) -> None:
        """A slice that came back at once must not become a busy loop."""
        if self.bridge.monotonic() - before < self.bridge.pace.poll:
            asked = place.body.get("poll_after_s")
            pause = float(asked) if isinstance(asked, int | float) and asked > 0 else self.bridge.pace.poll
            await self.bridge.sleep(max(0.0, min(pause, self._left())))

    async def _time_is_up(self, place: Answer, last: Answer) -> Answer:
        if not await self._leave():
            final = await self.bridge.service.get(self._path(), [("wait", 0)], budget=self.bridge.pace.grace)
            if final.status == 200:
                return final
        if last.status != 202:
            return last
        conflicts = place.body.get("conflicts") or [{}]
        body = {**place.body, "queue_id": None, "code": "timeout", "next": conflicts[0].get("next")}
        return Answer(409, body)

    async def abandon(self) -> None:
        """Give up whatever this wait has or may yet get."""
        if self._first is not None:
            answer = await self._first
            self._note(answer)
            await self._give_back(answer)
        if self.queue_id is not None and not await self._leave():
            await self._give_back(await self.bridge.service.get(self._path(), [("wait", 0)]))

    async def _leave(self) -> bool:
        """Give the place up; ``False`` when it is not in line any more, so that it may have been granted."""
        path = f"/requests/{quote(self.queue_id or '', safe='')}"
        answer = await self.bridge.service.delete(path, budget=self.bridge.pace.grace)
        return answer.body.get("cancelled") is True

    async def _give_back(self, answer: Answer) -> None:
        """Release what nobody was told of. A claim that the caller knew before stays."""
        ids = [str(claim_id) for claim_id in answer.body.get("claim_ids") or ()] if answer.ok else []
        unknown = [claim_id for claim_id in ids if not self.bridge.knows(claim_id)]
        if unknown:
            await self.bridge.service.post("/claims/release", {"claim_ids": unknown})

    async def _tell(self, place: Answer) -> None:
        waited = self.wait - max(0.0, self._left())
        await self.report(waited, float(self.wait), standing(place.body))

    def _note(self, answer: Answer) -> None:
        if answer.body.get("queue_id"):
            self.queue_id = str(answer.body["queue_id"])

    def _path(self) -> str:
        return f"/requests/queue/{quote(self.queue_id or '', safe='')}"

    def _left(self) -> float:
        return self.started + self.wait - self.bridge.monotonic()


def standing(body: Mapping[str, Any]) -> str:
    """Where a waiter stands, in one line."""
    parts = [f"position {body['position']}"] if body.get("position") else ["in line"]
    holder = body.get("holder")
    if isinstance(holder, Mapping):
        holder = holder.get("engineer")
    if holder:
        parts.append(f"held by {str(holder)[:60]}")
    if isinstance(body.get("eta_s"), int | float):
        parts.append(f"about {int(body['eta_s'])} s")
    return ", ".join(parts)


async def decided(bridge: Bridge, request_id: str, wait: int, report: Report) -> Answer:
    """A release request once it is decided, or as it stands after ``wait`` seconds."""
    started = bridge.monotonic()
    path = f"/requests/{quote(request_id, safe='')}"
    while True:
        before = bridge.monotonic()
        left = started + wait - before
        slice_ = max(0, min(bridge.pace.slice, round(left)))
        answer = await bridge.service.get(path, [("wait", slice_)], budget=slice_ + bridge.pace.grace)
        left = started + wait - bridge.monotonic()
        pending = answer.ok and answer.body.get("decision") == "pending"
        if left <= 0 or not (pending or answer.status in (0, 502, 503, 504)):
            return answer
        await report(wait - left, float(wait), "not decided yet")
        if bridge.monotonic() - before < bridge.pace.poll:
            await bridge.sleep(min(bridge.pace.poll, left))
