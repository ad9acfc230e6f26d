"""Which test begins when, so that no worker has long ones left when the others are done.

pytest-xdist's ``worksteal`` gives each worker one block of the collected tests, and a worker that is done
takes from the end of another's block. So each block begins with its share of the long tests. A plugin.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

LONG = "long"
"""The mark ``long(seconds)``: what the test, or all of a marked module together, takes alone."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After pytest-randomly, which shuffles."""
    items[:] = arranged(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def arranged(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """The items in blocks, one per worker; the long ones first, evenly, and each module's on one worker."""
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    loads = [0.0] * workers
    for seconds, group in sorted(_groups(items).values(), key=lambda found: -found[0]):
        lightest = loads.index(min(loads))
        shares[lightest] += group
        loads[lightest] += seconds
    short = [item for item in items if item.get_closest_marker(LONG) is None]
    found: list[pytest.Item] = []
    for number, share in enumerate(shares):
        size = (len(items) - len(found)) // (workers - number)
        rest = max(size - len(share), 0)
        found += [*share, *short[:rest]]
        del short[:rest]
    return found


def _groups(items: Sequence[pytest.Item]) -> dict[str, tuple[float, list[pytest.Item]]]:
    """The long tests: those of a marked module together, each other one alone."""
    found: dict[str, tuple[float, list[pytest.Item]]] = {}
    for item in items:
        if (mark := item.get_closest_marker(LONG)) is not None:
            module = item.getparent(pytest.Module)
            together = module is not None and mark in module.own_markers
            name = module.nodeid if together and module is not None else item.nodeid
            found.setdefault(name, (float(mark.args[0]), []))[1].append(item)
    return found
