"""Contenders in processes and threads of their own, which start each round together on one database."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROCESSES = 4
PATIENCE_S = 250.0


@dataclass(frozen=True, slots=True)
class Try:
    """What one contender got in one round: its claims' fences, or whom it was refused for."""

    round: int
    contender: int
    claim_ids: tuple[str, ...] = ()
    fences: tuple[int, ...] = ()
    held_by: tuple[str, ...] = ()


Wanted = Callable[[int, int], Sequence[str]]
"""The patterns that a contender asks for in a round; a module's function, as it goes to other processes."""


def race(database: Path, wanted: Wanted, *, contenders: int, rounds: int) -> dict[int, list[Try]]:
    """Let every contender claim at once, round after round; what each got, by round.

    All ask in one repository, each as an engineer of its own. Raises what a contender raised.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(contenders)
    said: Any = context.Queue()
    share = contenders // PROCESSES
    runners = [
        context.Process(
            target=_contend,
            args=(str(database), wanted, range(n * share, (n + 1) * share), rounds, barrier, said),
        )
        for n in range(PROCESSES)
    ]
    for runner in runners:
        runner.start()
    found: dict[int, list[Try]] = defaultdict(list)
    try:
        for _ in range(contenders):
            outcome = said.get(timeout=PATIENCE_S)
            assert not isinstance(outcome, str), outcome
            for one in outcome:
                found[one.round].append(one)
    except queue.Empty:
        raise AssertionError("a contender never answered") from None
    finally:
        for runner in runners:
            runner.kill() if runner.is_alive() and len(found) < rounds else runner.join(20)
    return found


def _contend(
    database: str, wanted: Wanted, numbers: Sequence[int], rounds: int, barrier: Any, said: Any
) -> None:
    for name in [name for name in os.environ if name.startswith("COORD_")]:
        del os.environ[name]
    os.environ |= {
        "COORD_DATABASE_PATH": database,
        "COORD_SECRET_KEY": "races",
        "COORD_LOG_LEVEL": "error",
        "DJANGO_SETTINGS_MODULE": "coordsite.settings",
    }
    import django

    django.setup()
    threads = [
        threading.Thread(target=_one, args=(number, wanted, rounds, barrier, said)) for number in numbers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _one(number: int, wanted: Wanted, rounds: int, barrier: Any, said: Any) -> None:
    from django.db import connection

    try:
        said.put([_claim(number, turn, wanted(turn, number), barrier) for turn in range(rounds)])
    except BaseException:
        said.put(traceback.format_exc())
        barrier.abort()
    finally:
        connection.close()


def _claim(number: int, turn: int, patterns: Sequence[str], barrier: Any) -> Try:
    from claims.parties import Party
    from claims.scopes import ClaimRequest, read_items
    from claims.services.claiming import claim_scopes
    from common.caller import Caller

    items = read_items([{"pattern": pattern} for pattern in patterns], case_insensitive=False)
    request = ClaimRequest("org/race", Party(f"agent-{number}", f"session-{number}"), items)
    caller = Caller(kind="shared", name="shared-token", operator=True)
    barrier.wait(PATIENCE_S)
    outcome = claim_scopes(request, caller)
    return Try(
        turn,
        number,
        tuple(claim.id for claim in outcome.claims),
        tuple(claim.fence for claim in outcome.claims),
        tuple(conflict.holder.engineer for conflict in outcome.conflicts),
    )
