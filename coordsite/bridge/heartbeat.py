"""A sign of life while the process lives, so that a quiet agent keeps its leases."""

from __future__ import annotations

from urllib.parse import quote

from coordsite.bridge.bridge import Bridge


async def beat(bridge: Bridge, every: float) -> None:
    """Renew the session every ``every`` seconds, for ever; a lost lease is told with the next reply."""
    while True:
        await bridge.sleep(every)
        await once(bridge, budget=min(every, 10.0))


async def once(bridge: Bridge, *, budget: float = 10.0) -> None:
    """One heartbeat. A service that does not answer is no news: the next call will say so."""
    path = f"/sessions/{quote(bridge.session_id, safe='')}/heartbeat"
    answer = await bridge.service.post(path, {}, budget=budget, attempts=1)
    if answer.ok:
        bridge.lost(answer.body.get("lost"))
