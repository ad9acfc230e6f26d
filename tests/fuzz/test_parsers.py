"""Every parser of foreign texts, fed with hostile ones: searched by Hypothesis, and drawn from a seed."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.parsers import LONGEST_S, PARSERS, fuzz

SEED = random.randrange(1_000_000)


@pytest.mark.parametrize("name", PARSERS)
def test_it_answers_or_refuses_within_the_limit_of_an_example(name):
    results: Counter[str] = Counter()

    @settings(
        max_examples=150,
        deadline=timedelta(seconds=LONGEST_S),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(dice=st.randoms(use_true_random=False))
    def probe(dice):
        results[PARSERS[name](dice)] += 1

    probe()
    assert "refused without a word" not in results


@pytest.mark.parametrize("name", PARSERS)
def test_it_answers_or_refuses_in_bounded_time(name):
    results = fuzz(name, 700, SEED)
    assert results.total() == 700
    assert len(results) > 1, f"only one outcome: {results}"
    assert "refused without a word" not in results
