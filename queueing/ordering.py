"""The order of the line. Pure: tickets and a moment in, an order out.

Urgency comes first (blocking, high, normal, low), then arrival. A ticket that has waited longer than the
boost counts one level higher; ageing only ever raises. A ticket that was passed over as often as the
limit allows stands before everything else, so overtaking is bounded; so does one that an operator put
in front.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

LEVELS = {"low": 1, "normal": 2, "high": 3, "blocking": 4}
FIRST = 6


class InLine(Protocol):
    """What the order looks at."""

    place: int
    urgency: str
    enqueued_at: datetime
    passed_over: int
    front: bool


def level(ticket: InLine, now: datetime, *, boost_after: int, most_overtakes: int) -> int:
    """The ticket's level now. ``boost_after`` in seconds, 0 never."""
    if ticket.front or ticket.passed_over >= most_overtakes:
        return FIRST
    aged = boost_after > 0 and now - ticket.enqueued_at > timedelta(seconds=boost_after)
    return LEVELS.get(ticket.urgency, LEVELS["normal"]) + (1 if aged else 0)


def order_key(ticket: InLine, now: datetime, *, boost_after: int, most_overtakes: int) -> tuple[int, int]:
    """Sorts the line: highest level first, then the lowest place."""
    return (-level(ticket, now, boost_after=boost_after, most_overtakes=most_overtakes), ticket.place)
