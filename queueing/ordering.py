"""The order of the line. Pure: tickets and a moment in, an order out.

Urgency comes first (blocking, high, normal, low), then arrival. A ticket that has waited longer than the
boost counts one level higher; ageing only ever raises. A ticket that was passed over as often as the
limit allows stands before everything else, so overtaking is bounded; so does one that an operator put
in front. An open offer stands before all: it is as good as taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LEVELS = {"low": 1, "normal": 2, "high": 3, "blocking": 4}
FIRST = 6


class InLine(Protocol):
    """What the order looks at."""

    place: int
    state: str
    urgency: str
    enqueued_at: datetime
    passed_over: int
    front: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """The order at one moment. Tickets that came before ``aged_before`` count one level higher."""

    aged_before: datetime
    most_overtakes: int

    @classmethod
    def at(cls, now: datetime, *, boost_after: int, most_overtakes: int) -> Ranking:
        """``boost_after`` in seconds, 0 never."""
        never = datetime.min.replace(tzinfo=now.tzinfo)
        return cls(now - timedelta(seconds=boost_after) if boost_after else never, most_overtakes)

    def level(self, ticket: InLine) -> int:
        """The ticket's level."""
        if ticket.front or ticket.passed_over >= self.most_overtakes:
            return FIRST
        aged = ticket.enqueued_at < self.aged_before
        return LEVELS.get(ticket.urgency, LEVELS["normal"]) + (1 if aged else 0)

    def key(self, ticket: InLine) -> tuple[bool, int, int]:
        """Sorts the line: offers first, then the highest level, then the lowest place."""
        return (ticket.state != "offered", -self.level(ticket), ticket.place)
