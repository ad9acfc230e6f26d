"""What a caller may see."""

from __future__ import annotations

from itertools import product

from common.caller import Caller

SESSIONS = (None, "session-of-alice", "session-of-bob")
REPOSITORIES = (None, frozenset({"org/app"}), frozenset({"org/other"}))
CALLERS = [
    Caller(
        kind="personal", name=str(number), operator=operator, session_id=session, repositories=repositories
    )
    for number, (operator, session, repositories) in enumerate(product((True, False), SESSIONS, REPOSITORIES))
]


def view(caller: Caller):
    """All that a caller sees of these."""
    seen = [caller.sees(repository) for repository in ("org/app", "org/other")]
    return seen, [caller.shown(session) for session in SESSIONS]


def test_callers_of_one_sight_are_shown_the_same():
    for one, other in product(CALLERS, CALLERS):
        if one.sight == other.sight:
            assert view(one) == view(other)
        elif one.repositories == other.repositories and one.operator == other.operator:
            assert view(one) != view(other), "as many as can share do"
