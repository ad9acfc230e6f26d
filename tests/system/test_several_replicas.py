"""Three replicas on one PostgreSQL, asked over HTTP: one house, whichever door is used."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.engines.servers import Postgres
from tests.history.fleet import TOKEN, Fleet

from .service import tls, wait_for

pytestmark = [pytest.mark.timeout(240), pytest.mark.long(40)]


class Doors:
    """The replicas of a fleet as clients see them."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        headers = {"Authorization": f"Bearer {TOKEN}"}
        limits = httpx.Limits(max_connections=200)
        self.clients = [
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}",
                headers=headers,
                timeout=60,
                limits=limits,
                trust_env=False,
                verify=tls(),
            )
            for port in fleet.ports
        ]

    def claim(self, door: int, who: str, repo: str, *patterns: str, **fields: Any) -> httpx.Response:
        """Ask one replica for patterns, as one session."""
        items = [{"type": "file", "pattern": pattern} for pattern in patterns]
        body = {"engineer": who, "session_id": who, "repo": repo, "claims": items, **fields}
        headers = {"Idempotency-Key": fields.pop("key")} if "key" in fields else {}
        body.pop("key", None)
        return self.clients[door % len(self.clients)].post("/claims", json=body, headers=headers)

    def release(self, door: int, claims: list[str]) -> None:
        """Release through one replica."""
        answer = self.clients[door % len(self.clients)].post("/claims/release", json={"claim_ids": claims})
        assert answer.json() == {"released": len(claims)}

    def line(self, door: int, repo: str) -> list[dict[str, Any]]:
        """Who waits, as one replica tells it."""
        answer = self.clients[door].get("/requests", params={"queued": "true", "repo": repo})
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def fleet(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    variables = {"COORD_DATABASE_URL": postgres.create("replicas"), "COORD_OFFER_SECONDS": "5"}
    with Fleet(tmp_path_factory.mktemp("fleet"), 3, variables, cluster=False) as running:
        yield running


@pytest.fixture
def doors(fleet: Fleet) -> Iterator[Doors]:
    for replica in fleet.replicas:
        replica.start()
        replica.wait()
    made = Doors(fleet)
    yield made
    for client in made.clients:
        client.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(48) as threads:
        yield threads


def together(pool: ThreadPoolExecutor, count: int, work: Any) -> list[Any]:
    """``work(n)`` on so many threads that start at once."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(30)
        return work(number)

    return [future.result(90) for future in [pool.submit(run, n) for n in range(count)]]


def test_it_has_one_winner_in_every_race(doors, pool):
    """Contenders for overlapping scopes at three doors: one gets it, the others hear who did."""
    shapes = ("src/app.py", "src/**", "src/", "**/app.py", "src/*.py")
    fences = []
    for race in range(5):
        answers = together(
            pool, 30, lambda n, race=race: doors.claim(n, f"agent{n}", "race/app", shapes[(n + race) % 5])
        )
        granted = [answer.json() for answer in answers if answer.status_code == 200]
        refused = [answer.json() for answer in answers if answer.status_code == 409]
        assert (len(granted), len(refused)) == (1, 29), [answer.text[:200] for answer in answers[:3]]
        [claim] = granted[0]["claims"]
        held = {c["conflicting_claim"]["id"] for body in refused for c in body["conflicts"]}
        assert held == {claim["id"]}
        fences.append(claim["fence"])
        doors.release(race, [claim["id"]])
    assert fences == sorted(set(fences))


def test_it_gives_all_items_or_none(doors, pool):
    """Pairs taken in opposite order at different doors: whoever gets one file gets the other."""
    pairs = (("a.py", "b.py"), ("b.py", "a.py"), ("a.py", "c.py"), ("c.py", "b.py"))
    answers = together(pool, 24, lambda n: doors.claim(n, f"agent{n}", "pair/app", *pairs[n % 4]))
    live = doors.clients[0].get("/claims", params={"repo": "pair/app", "limit": 500}).json()["claims"]
    held: dict[str, list[str]] = {}
    for claim in live:
        held.setdefault(claim["engineer"], []).append(claim["pattern"])
    granted = {
        f"agent{n}": sorted(pairs[n % 4]) for n, answer in enumerate(answers) if answer.status_code == 200
    }
    assert {who: sorted(patterns) for who, patterns in held.items()} == granted
    assert len({pattern for patterns in held.values() for pattern in patterns}) == len(live)


def test_it_serves_one_line_in_order_across_replicas(doors, pool):
    """Waiters parked at all doors are served in the order of arrival, each once, none bounced."""
    [held] = doors.claim(0, "alice", "line/app", "a.py").json()["claims"]
    waiting: list[Future[httpx.Response]] = []
    for n in range(9):
        waiting.append(pool.submit(doors.claim, n, f"agent{n}", "line/app", "a.py", wait_seconds=60))
        wait_for(lambda n=n: len(doors.line(n % 3, "line/app")) == n + 1, f"waiter {n} stands in line")
    doors.release(1, [held["id"]])
    fences = [held["fence"]]
    for n, waiter in enumerate(waiting):
        answer = waiter.result(30)
        assert answer.status_code == 200, answer.text
        [claim] = answer.json()["claims"]
        fences.append(claim["fence"])
        assert not any(later.done() for later in waiting[n + 1 :])
        doors.release(n, [claim["id"]])
    assert fences == sorted(set(fences))


def test_it_answers_a_retry_at_another_door_with_the_same_claim(doors, pool):
    """One key, sent to all doors at once."""
    for n in range(5):
        answers = together(
            pool, 9, lambda door, n=n: doors.claim(door, "alice", "retry/app", f"{n}.py", key=f"retry-{n}")
        )
        told = {answer.json()["claim_ids"][0] for answer in answers if answer.status_code == 200}
        assert len(told) == 1
        assert {answer.status_code for answer in answers} <= {200, 409}


def test_it_finds_a_deadlock_between_doors(doors, pool):
    """Alice holds a and waits for b at one door; bob holds b and asks for a at another."""
    doors.claim(0, "alice", "dead/app", "a.py")
    [bobs] = doors.claim(1, "bob", "dead/app", "b.py").json()["claims"]
    waiting = pool.submit(doors.claim, 0, "alice", "dead/app", "b.py", wait_seconds=60)
    wait_for(lambda: doors.line(2, "dead/app"), "alice stands in line")
    refused = doors.claim(2, "bob", "dead/app", "a.py", wait_seconds=60)
    assert (refused.status_code, refused.json()["code"]) == (409, "deadlock")
    doors.release(2, [bobs["id"]])
    assert waiting.result(30).status_code == 200


def test_it_sends_waiters_of_a_stopping_replica_home_with_their_place_kept(doors, pool):
    """SIGTERM: 503 that says to ask again; the place is taken up at another door, before a later waiter."""
    [held] = doors.claim(0, "alice", "drain/app", "a.py").json()["claims"]
    bob = pool.submit(doors.claim, 2, "bob", "drain/app", "a.py", wait_seconds=60, key="drain-bob")
    wait_for(lambda: len(doors.line(0, "drain/app")) == 1, "bob stands in line")
    carol = pool.submit(doors.claim, 1, "carol", "drain/app", "a.py", wait_seconds=60)
    wait_for(lambda: len(doors.line(0, "drain/app")) == 2, "carol stands in line")
    [place] = [row["queue_id"] for row in doors.line(0, "drain/app") if row["position"] == 1]
    assert doors.fleet.replicas[2].end() == 0
    home = bob.result(30)
    assert (home.status_code, home.json()["code"], home.json()["retryable"]) == (503, "unavailable", True)
    assert home.headers["Retry-After"] == "2"
    again = pool.submit(doors.claim, 1, "bob", "drain/app", "a.py", wait_seconds=60, key="drain-bob")
    doors.release(0, [held["id"]])
    [bobs] = again.result(30).json()["claims"]
    assert not carol.done()
    assert doors.clients[0].get(f"/requests/queue/{place}").json()["claim_ids"] == [bobs["id"]]
    doors.release(0, [bobs["id"]])
    assert carol.result(30).status_code == 200


def test_it_never_grants_to_the_waiter_of_a_killed_replica(doors, pool):
    """kill -9 of the replica that serves the first waiter: the next one is served, by its own replica."""
    [held] = doors.claim(0, "alice", "kill/app", "a.py").json()["claims"]
    bob = pool.submit(doors.claim, 2, "bob", "kill/app", "a.py", wait_seconds=120)
    wait_for(lambda: len(doors.line(0, "kill/app")) == 1, "bob stands in line")
    carol = pool.submit(doors.claim, 1, "carol", "kill/app", "a.py", wait_seconds=120)
    wait_for(lambda: len(doors.line(0, "kill/app")) == 2, "carol stands in line")
    doors.fleet.replicas[2].kill()
    with pytest.raises(httpx.HTTPError):
        bob.result(30)
    doors.release(0, [held["id"]])
    assert carol.result(60).json()["claims"][0]["pattern"] == "a.py"
    live = doors.clients[0].get("/claims", params={"repo": "kill/app"}).json()["claims"]
    assert [claim["engineer"] for claim in live] == ["carol"]


def test_it_comes_through_a_crash_of_postgres(doors, postgres):
    """Nothing that was granted is lost, and no replica has to be started again."""
    [held] = doors.claim(0, "alice", "crash/app", "a.py").json()["claims"]
    postgres.kill()
    postgres.start()
    for door in range(3):
        answer = wait_for(
            lambda door=door: _answered(lambda: doors.claim(door, "bob", "crash/app", "a.py")), "an answer"
        )
        assert answer.status_code == 409
        assert answer.json()["conflicts"][0]["conflicting_claim"]["id"] == held["id"]


def test_it_keeps_other_replicas_going_while_one_is_frozen(doors, pool):
    """SIGSTOP of a replica in the middle of a race holds nobody else up."""
    doors.fleet.replicas[2].signal(signal.SIGSTOP)
    try:
        answers = together(pool, 10, lambda n: doors.claim(n % 2, f"agent{n}", "frozen/app", "a.py"))
        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
    finally:
        doors.fleet.replicas[2].signal(signal.SIGCONT)


def _answered(ask: Any) -> httpx.Response | None:
    try:
        answer: httpx.Response = ask()
    except httpx.HTTPError:
        return None
    return None if answer.status_code == 503 else answer
