"""The search: it finds the order of what has one, and says no to what has none."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.history.model import Op, State, check, fences_grow, search, step

NEVER = float("inf")


def op(party, kind, called, returned, answer, pattern="g/a.py", **more):
    return Op(party, kind, pattern, called, returned, answer, **more)


def granted(party, called, returned, claim_id, fence, pattern="g/a.py"):
    return op(party, "claim", called, returned, "granted", pattern, claim_id=claim_id, fence=fence)


def released(party, called, returned, claim_id, pattern="g/a.py"):
    return op(party, "release", called, returned, "released", pattern, claim_id=claim_id)


def test_it_orders_calls_that_overlap_in_time():
    history = [
        granted("alice", 0, 10, "1", 1),
        op("bob", "claim", 1, 9, "refused", seen=frozenset({"1"})),
        op("carol", "check", 2, 3, "seen"),
    ]
    assert search(history).order == [2, 0, 1]


def test_it_refuses_two_holders_at_once():
    history = [granted("alice", 0, 1, "1", 1), granted("bob", 2, 3, "2", 2)]
    verdict = search(history)
    assert not verdict.linearisable
    assert "bob claim g/a.py -> granted 2 2" in verdict.explain()


def test_it_refuses_a_holder_below_a_glob():
    history = [granted("alice", 0, 1, "1", 1, "g/**"), granted("bob", 2, 3, "2", 2)]
    assert not search(history).linearisable


def test_it_lets_different_files_be_held_together():
    assert search([granted("alice", 0, 1, "1", 1), granted("bob", 2, 3, "2", 2, "g/b.py")]).linearisable


def test_it_refuses_a_stale_look():
    history = [granted("alice", 0, 1, "1", 1), op("bob", "check", 2, 3, "seen")]
    assert not search(history).linearisable


def test_it_refuses_a_refusal_without_a_holder():
    history = [
        granted("alice", 0, 1, "1", 1),
        released("alice", 2, 3, "1"),
        op("bob", "claim", 4, 5, "refused", seen=frozenset({"1"})),
    ]
    assert not search(history).linearisable


def test_it_refuses_a_fence_that_does_not_grow():
    history = [granted("alice", 0, 1, "1", 5), released("alice", 2, 3, "1"), granted("bob", 4, 5, "2", 5)]
    assert not search(history).linearisable


def test_it_refuses_another_claim_for_the_same_request():
    assert not search([granted("alice", 0, 1, "1", 1), granted("alice", 2, 3, "2", 2)]).linearisable


def test_it_believes_that_a_lost_claim_was_granted_or_not():
    lost = op("alice", "claim", 0, NEVER, "lost")
    refused = op("bob", "claim", 5, 6, "refused", seen=frozenset({"1"}))
    assert search([lost, refused, granted("alice", 7, 8, "1", 1)]).linearisable
    assert search([lost, granted("bob", 5, 6, "1", 1)]).linearisable


def test_it_does_not_believe_that_a_lost_claim_had_two_effects():
    history = [
        op("alice", "claim", 0, NEVER, "lost"),
        op("bob", "claim", 1, 2, "refused", seen=frozenset({"1"})),
        released("alice", 3, 4, "1"),
        op("bob", "claim", 5, 6, "refused", seen=frozenset({"2"})),
    ]
    assert not search(history).linearisable


def test_it_believes_that_a_lost_release_came_later():
    history = [
        granted("alice", 0, 1, "1", 1),
        op("alice", "release", 2, NEVER, "lost", claim_id="1"),
        op("bob", "check", 3, 4, "seen", seen=frozenset({"1"})),
        granted("bob", 5, 6, "2", 2),
    ]
    assert search(history).linearisable


def test_it_judges_each_group_alone():
    bad = [granted("alice", 0, 1, "1", 1, "h/a.py"), granted("bob", 2, 3, "2", 2, "h/a.py")]
    verdicts = check([granted("alice", 0, 1, "3", 3), *bad])
    assert [(verdict.group, verdict.linearisable) for verdict in verdicts] == [("g", True), ("h", False)]


def test_it_compares_fences_over_all_groups():
    fine = [granted("alice", 0, 1, "1", 1), granted("bob", 2, 3, "2", 2, "h/a.py")]
    assert fences_grow(fine) == ""
    assert "not above" in fences_grow(
        [granted("alice", 0, 1, "1", 2), granted("bob", 2, 3, "2", 1, "h/a.py")]
    )
    assert "one fence" in fences_grow(
        [granted("alice", 0, 9, "1", 2), granted("bob", 2, 3, "2", 2, "h/a.py")]
    )


def _history(seed):
    """A short history of overlapping calls with answers drawn at random, sensible or not."""
    dice = random.Random(seed)
    ops, at = [], 0
    for number in range(6):
        at += dice.randrange(1, 4)
        party = f"p{number % 3}"
        end = at + dice.randrange(1, 8)
        claim_id = str(dice.randrange(1, 3))
        ops.append(
            dice.choice(
                [
                    granted(party, at, end, claim_id, int(claim_id), dice.choice(["g/a.py", "g/**"])),
                    released(party, at, end, claim_id),
                    op(party, "claim", at, end, "refused", seen=frozenset({claim_id})),
                    op(party, "check", at, end, "seen", seen=frozenset({claim_id} if number % 2 else ())),
                    op(party, "claim", at, NEVER, "lost"),
                ]
            )
        )
    return ops


def _has_order(ops):
    """By trying every order of every choice of lost operations."""
    certain = [n for n, one in enumerate(ops) if not one.lost]
    lost = [n for n, one in enumerate(ops) if one.lost]
    for count in range(len(lost) + 1):
        for chosen in itertools.combinations(lost, count):
            for order in itertools.permutations([*certain, *chosen]):
                if any(ops[b].returned < ops[a].called for a, b in itertools.combinations(order, 2)):
                    continue
                state = State()
                for number in order:
                    state = step(state, ops[number]) if state is not None else None
                if state is not None:
                    return True
    return False


@pytest.mark.parametrize("seed", range(8))
def test_it_agrees_with_trying_every_order(seed):
    found = [
        search(ops).linearisable == _has_order(ops) for ops in (_history(f"{seed}/{n}") for n in range(40))
    ]
    assert all(found)
