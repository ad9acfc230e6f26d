"""Every parser of foreign texts, fed with hostile ones."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.parsers import PARSERS, fuzz

SEED = random.randrange(1_000_000)


@pytest.mark.parametrize("name", PARSERS)
def test_it_answers_or_refuses_in_bounded_time(name):
    results = fuzz(name, 1000, SEED)
    assert results.total() == 1000
    assert len(results) > 1, f"only one outcome: {results}"
    assert "refused without a word" not in results
