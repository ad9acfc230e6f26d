"""The order in which tests begin."""

from __future__ import annotations

import pytest

from .order import arranged

pytest_plugins = ["pytester"]

LONG = """
import pytest

pytestmark = pytest.mark.long(50)

def test_one(): ...
def test_two(): ...
"""
MIXED = """
import pytest

@pytest.mark.long(30)
def test_half_a_minute(): ...

@pytest.mark.long(10)
def test_ten_seconds(): ...

@pytest.mark.parametrize("number", range(5))
def test_short(number): ...
"""


def test_each_worker_begins_with_its_share_of_the_long_ones(pytester: pytest.Pytester):
    pytester.makeini("[pytest]\nmarkers = long\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(test_a_mixed=MIXED, test_b_long=LONG)
    items, _ = pytester.inline_genitems("-p", "no:randomly", "-p", "no:tests.engines.order")
    names = [item.name for item in arranged(items, 2)]
    assert names[:2] == ["test_one", "test_two"]
    assert names[4:6] == ["test_half_a_minute", "test_ten_seconds"]
    assert sorted(names) == sorted(item.name for item in items)
    assert [item.name for item in arranged(items, 1)][:4] == [
        "test_one",
        "test_two",
        "test_half_a_minute",
        "test_ten_seconds",
    ]
