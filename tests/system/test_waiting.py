"""Waiting over real HTTP: order, deadlines, disconnects, a killed server, timers, parked cost."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import serving
from .service import Service, tls, wait_for

FAST = {
    "COORD_OFFER_SECONDS": "1",
    "COORD_REQUEST_TTL_SHORT_SEC": "1",
    "COORD_IDLE_TIMEOUT_SEC": "3",
    "COORD_DISABLE_BACKGROUND_CLEANUP": "true",
}


@asynccontextmanager
async def agents(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Any number of clients at once."""
    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": f"Bearer {service.token}"}
    async with httpx.AsyncClient(
        base_url=service.url, headers=headers, timeout=90, limits=limits, verify=tls()
    ) as client:
        yield client


def body_of(engineer: str, *patterns: str, **fields: Any) -> dict[str, Any]:
    items = [{"type": "file", "pattern": pattern} for pattern in patterns]
    return {"engineer": engineer, "claims": items, **fields}


async def claim(client: Any, engineer: str, *patterns: str, **fields: Any) -> httpx.Response:
    return await client.post("/claims", json=body_of(engineer, *patterns, **fields))


async def queued(client: Any, repo: str, **filters: str) -> list[dict[str, Any]]:
    answer = await client.get("/requests", params={"queued": "true", "repo": repo, **filters})
    return answer.json()["requests"]


async def until(condition: Any, what: str, *, every: float = 0.02, seconds: float = 30) -> Any:
    for _ in range(round(seconds / every)):
        if found := await condition():
            return found
        await asyncio.sleep(every)
    raise AssertionError(f"not in {seconds} s: {what}")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Service]:
    """A service whose offers, asked-for leases and silent sessions end after seconds; it never sweeps."""
    with serving(tmp_path_factory, migrated, FAST) as running:
        yield running


@pytest.fixture(scope="module")
def service(modules_service: Service) -> Service:
    """A service of their own: its threads are counted."""
    return modules_service


async def test_fifty_waiters_are_served_in_order_each_once_and_none_is_sent_away(service: Service):
    repo, served = "org/fifty", []
    async with agents(service) as client:
        held = (await claim(client, "alice", "a.py", repo=repo)).json()["claim_ids"]

        async def wait(name: str) -> httpx.Response:
            answer = await claim(client, name, "a.py", repo=repo, session_id=f"s-{name}", wait_seconds=80)
            served.append(name)
            await client.post("/claims/release", json={"claim_ids": answer.json()["claim_ids"]})
            return answer

        names = [f"w{number:02}" for number in range(50)]
        waits = []
        for name in names:
            waits.append(asyncio.create_task(wait(name)))
            await until(lambda name=name: queued(client, repo, requester=name), f"{name} is in line")
        await client.post("/claims/release", json={"claim_ids": held})
        answers = await asyncio.gather(*waits)
        events = (await client.get("/events", params={"repo": repo, "limit": 1000})).json()["events"]
    assert [answer.status_code for answer in answers] == [200] * 50
    assert served == names
    fences = [answer.json()["claims"][0]["fence"] for answer in answers]
    assert fences == sorted(set(fences))
    grants = [event for event in events if event["event_type"] == "queue_grant"]
    assert [event["detail"]["requester_engineer"] for event in grants] == names


async def test_a_release_at_the_deadline_never_refuses_who_holds(service: Service):
    repo = "org/deadline"
    async with agents(service) as client:
        held = (await claim(client, "alice", *(f"f{n}.py" for n in range(40)), repo=repo)).json()["claim_ids"]

        async def trial(number: int) -> tuple[httpx.Response, list[str]]:
            name = f"w{number:02}"
            waiting = asyncio.create_task(claim(client, name, f"f{number}.py", repo=repo, wait_seconds=1))
            await asyncio.sleep(0.9 + number * 0.005)
            await client.post("/claims/release", json={"claim_ids": [held[number]]})
            answer = await waiting
            rows = (await client.get("/claims", params={"engineer": name, "repo": repo})).json()["claims"]
            return answer, [row["id"] for row in rows]

        trials = await asyncio.gather(*(trial(number) for number in range(40)))
    for answer, holds in trials:
        assert answer.json()["claim_ids"] == holds
        if answer.status_code != 200:
            assert (answer.status_code, answer.json()["code"], holds) == (409, "timeout", [])


async def test_who_disconnects_leaves_the_line_and_is_never_granted(service: Service):
    repo = "org/gone"
    async with agents(service) as client:
        held = (await claim(client, "alice", "a.py", repo=repo)).json()["claim_ids"]
        with pytest.raises(httpx.ReadTimeout):
            await client.post(
                "/claims", json=body_of("bob", "a.py", repo=repo, wait_seconds=60), timeout=httpx.Timeout(1)
            )
        (row,) = await until(lambda: queued(client, repo, state="cancelled"), "bob's place is given up")
        assert (row["requester_engineer"], row["reason"]) == ("bob", "disconnected")
        await client.post("/claims/release", json={"claim_ids": held})
        assert (await claim(client, "carol", "a.py", repo=repo)).status_code == 200
        rows = (await client.get("/claims", params={"repo": repo, "active_only": "false"})).json()["claims"]
    assert {row["engineer"] for row in rows} == {"alice", "carol"}


async def test_a_killed_server_leaves_no_ghosts(start_service: Any):
    service, repo = start_service(), "org/killed"
    async with agents(service) as client:
        held = (await claim(client, "alice", "a.py", repo=repo)).json()["claim_ids"]
        waiting = asyncio.create_task(claim(client, "bob", "a.py", repo=repo, wait_seconds=300))
        await until(lambda: queued(client, repo), "bob is in line")
        place = (await claim(client, "carol", "a.py", repo=repo, hold_place_seconds=600)).json()["queue_id"]
        web = service.web_process()
        os.kill(web, 9)
        service.kill()
        with pytest.raises(httpx.HTTPError):
            await waiting
    await asyncio.to_thread(wait_for, lambda: not Path(f"/proc/{web}").exists(), "the server is gone")
    again = start_service()
    async with agents(again) as client:
        (row,) = await queued(client, repo)
        assert (row["requester_engineer"], row["position"]) == ("carol", 1)
        await client.post("/claims/release", json={"claim_ids": held})
        assert (await claim(client, "dave", "a.py", repo=repo)).status_code == 409
        assert (await client.get(f"/requests/queue/{place}", params={"wait": 5})).status_code == 200
        rows = (await client.get("/claims", params={"repo": repo, "active_only": "false"})).json()["claims"]
    assert [row["engineer"] for row in rows] == ["carol", "alice"]


async def test_what_ends_by_itself_wakes_the_waiter_when_it_is_due(hasty: Service):
    """No sweep, no other call: the waiting process's own timer."""
    async with agents(hasty) as client:

        async def asked(repo: str) -> None:
            held = (await claim(client, "alice", "a.py", repo=repo)).json()["claim_ids"][0]
            body = {"claim_id": held, "requester": "bob", "wait_seconds": 30}
            asking = asyncio.create_task(client.post("/requests", json=body))
            assert (await claim(client, "carol", "a.py", repo=repo, wait_seconds=60)).status_code == 200
            assert (await asking).json()["decision"] == "expired"

        async def asked_while_nobody_waits(repo: str) -> None:
            held = (await claim(client, "alice", "a.py", repo=repo)).json()["claim_ids"][0]
            body = {"claim_id": held, "requester": "bob", "wait_seconds": 30}
            assert (await client.post("/requests", json=body)).json()["decision"] == "expired"

        async def idle(repo: str) -> None:
            await claim(client, "alice", "a.py", repo=repo, session_id="silent")
            assert (await claim(client, "carol", "a.py", repo=repo, wait_seconds=60)).status_code == 200

        async def not_picked_up(repo: str) -> None:
            held = (await claim(client, "alice", "a.py", repo=repo)).json()["claim_ids"]
            await claim(client, "bob", "a.py", repo=repo, hold_place_seconds=600)
            waiting = asyncio.create_task(claim(client, "carol", "a.py", repo=repo, wait_seconds=60))
            await until(lambda: queued(client, repo, requester="carol"), "carol is in line")
            await client.post("/claims/release", json={"claim_ids": held})
            assert (await waiting).status_code == 200

        await asyncio.gather(
            asked("org/asked"),
            asked_while_nobody_waits("org/alone"),
            idle("org/idle"),
            not_picked_up("org/offer"),
        )


async def test_a_decision_reaches_who_waits_for_it(service: Service):
    repo = "org/asking"
    async with agents(service) as client:
        held = (await claim(client, "alice", "a.py", repo=repo)).json()["claim_ids"][0]
        body = {"claim_id": held, "requester": "bob", "wait_seconds": 0}
        asked = (await client.post("/requests", json=body)).json()
        waiting = [
            asyncio.create_task(client.get(f"/requests/{asked['id']}", params={"wait": 50})),
            asyncio.create_task(client.post("/requests", json={**body, "wait_seconds": 50})),
        ]
        await asyncio.sleep(0)
        answer = {"decision": "denied", "engineer": "alice", "note": "ten minutes"}
        await client.post(f"/requests/{asked['id']}/respond", json=answer)
        for row in [answer.json() for answer in await asyncio.gather(*waiting)]:
            assert (row["id"], row["decision"], row["note"]) == (asked["id"], "denied", "ten minutes")


def _threads_and_files(web: int, database: str) -> tuple[int, int]:
    descriptors = Path(f"/proc/{web}/fd")
    opened = [os.path.realpath(link) for link in descriptors.iterdir() if link.is_symlink()]
    return len(list(Path(f"/proc/{web}/task").iterdir())), opened.count(database)


@pytest.mark.long(30)
@pytest.mark.timeout(240)  # on a busy machine
async def test_five_hundred_parked_waiters_hold_no_thread_and_no_connection(service: Service):
    repo, number = "org/parked", 500
    web, database = service.web_process(), os.path.realpath(service.database)
    async with agents(service) as client:
        await claim(client, "alice", "a.py", repo=repo)
        one = asyncio.create_task(claim(client, "first", "a.py", repo=repo, wait_seconds=300))
        await until(lambda: queued(client, repo), "somebody is parked")
        await asyncio.gather(*(client.get("/health") for _ in range(20)))
        before, _ = _threads_and_files(web, database)
        sockets = [_park(service, f"s{n}", repo) for n in range(number - 1)]
        try:
            await until(lambda: _parked(client, number - 1), "all are parked", every=0.2, seconds=100)
            threads, connections = _threads_and_files(web, database)
            assert threads <= before
            assert connections <= threads
            assert (await client.get("/health")).text == "ok"
        finally:
            for each in sockets:
                each.close()
            one.cancel()
        await until(lambda: _empty(client, repo), "who left is out of the line", every=0.5, seconds=60)


async def _empty(client: Any, repo: str) -> bool:
    return not await queued(client, repo)


async def _parked(client: Any, number: int) -> bool:
    """Whether so many wait, as the header says: a listing tells each its place, which costs."""
    answer = await client.get("/claims", params={"limit": 1}, headers={"X-Coord-Engineer": "parked"})
    return answer.headers["X-Coord-Queue-Depth"] == str(number)


def _park(service: Service, session: str, repo: str) -> socket.socket:
    """Send a claim that waits, and do not read the answer."""
    request = httpx.Request(
        "POST",
        f"{service.url}/claims",
        json=body_of("parked", "a.py", repo=repo, session_id=session, wait_seconds=300),
        headers={"Authorization": f"Bearer {service.token}"},
    )
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    parked = socket.create_connection(("127.0.0.1", service.port))
    parked.sendall(("\r\n".join(["POST /claims HTTP/1.1", *lines, "", ""])).encode() + request.content)
    return parked
