"""Many claim at the same moment, from several processes: one gets it, the others hear who has it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from .racing import Try, race

CONTENDERS = 64
SPELLINGS = (
    "{}/**",
    "{}/a.py",
    "{}/a*",
    "{}/*.py",
    "{}/[ab].py",
    "{}/**/a.py",
    "{}/?.py",
    "./{}//a.py",
    "{}",
)


def one_path(turn: int, contender: int) -> list[str]:
    """Everybody wants the same file."""
    return [f"round-{turn}/a.py"]


def overlapping(turn: int, contender: int) -> list[str]:
    """Everybody wants the same file, in words of its own."""
    return [SPELLINGS[contender % len(SPELLINGS)].format(f"round-{turn}")]


def two_overlapping(turn: int, contender: int) -> list[str]:
    """Everybody wants the same two files, in its own words and order."""
    first, second = (
        SPELLINGS[(contender + shift) % len(SPELLINGS)].format(f"{name}-{turn}")
        for shift, name in ((0, "left"), (3, "right"))
    )
    return [first, second] if contender % 2 else [second, first]


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "race.db"))


def winners(rounds: dict[int, list[Try]]) -> list[Try]:
    """The one winner of each round; each of the others was refused for it, and for nobody else."""
    found = []
    for turn, tries in sorted(rounds.items()):
        assert len(tries) == CONTENDERS
        granted = [one for one in tries if one.claim_ids]
        assert len(granted) == 1, f"round {turn}: {len(granted)} winners"
        for one in tries:
            if one is not granted[0]:
                assert set(one.held_by) == {f"agent-{granted[0].contender}"}, one
        found.append(granted[0])
    return found


@pytest.mark.long(30)
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("wanted", "items", "rounds"), [(one_path, 1, 50), (two_overlapping, 2, 8)])
def test_exactly_one_wins_each_round(database, wanted, items, rounds):
    won = winners(race(database, wanted, contenders=CONTENDERS, rounds=rounds))
    assert len(won) == rounds
    assert len({one.contender for one in won}) > 1, "the contenders did not run at the same time"
    with sqlite3.connect(database) as rows:
        kept = rows.execute("SELECT id, fence FROM claims_claim WHERE released_at IS NULL").fetchall()
    assert sorted(kept) == sorted(pair for one in won for pair in zip(one.claim_ids, one.fences, strict=True))
    assert all(len(one.claim_ids) == items for one in won)
    fences = [fence for one in won for fence in one.fences]
    assert fences == sorted(set(fences)), "fences only grow, whoever is granted"


@pytest.mark.long(30)
@pytest.mark.timeout(300)
def test_exactly_one_wins_each_round_over_http(modules_service):
    """The same by 64 clients of the service, each on a connection and a thread of its own."""
    rounds: dict[int, list[Try]] = defaultdict(list)
    barrier = threading.Barrier(CONTENDERS)

    def contend(number: int) -> None:
        headers = {"Authorization": f"Bearer {modules_service.token}", "Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", modules_service.port, timeout=60)) as connection:
            for turn in range(50):
                items = [{"type": "file", "pattern": pattern} for pattern in overlapping(turn, number)]
                body = {"engineer": f"agent-{number}", "repo": "org/race", "claims": items}
                barrier.wait(60)
                connection.request("POST", "/claims", json.dumps(body), headers)
                answer = connection.getresponse()
                said = json.loads(answer.read())
                assert answer.status in (200, 409), said
                holders = (entry["conflicting_claim"]["engineer"] for entry in said["conflicts"])
                fences = tuple(claim["fence"] for claim in said["claims"])
                rounds[turn].append(Try(turn, number, tuple(said["claim_ids"]), fences, tuple(holders)))

    with ThreadPoolExecutor(CONTENDERS) as pool:
        for done in [pool.submit(contend, number) for number in range(CONTENDERS)]:
            done.result()
    won = winners(rounds)
    assert len(won) == 50
    fences = [one.fences[0] for one in won]
    assert fences == sorted(set(fences))
