"""The picture of one claim's life: its lease, and what happened to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

WIDE, HIGH = 1000, 64
LEFT, RIGHT = 14, 986
MOST_MARKS = 40
CLOSE = 22

SHAPES = {
    "claim_granted": "start",
    "claim_released": "end",
    "claim_expired": "end",
    "claim_idle": "end",
    "claim_narrowed": "end",
    "filed": "asked",
    "notified": "asked",
    "responded": "answered",
    "responded-late": "answered",
    "resolved": "answered",
    "expired": "answered",
    "lease_shortened": "asked",
    "operator_action": "operator",
    "claim_transferred": "operator",
}
"""How a kind of event is drawn; any other is a dot."""


class Happened(Protocol):
    """What the picture needs of an event."""

    event_type: str
    created_at: datetime
    actor_engineer: str | None
    operator: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """One event on the line. ``row`` is 0 or 1: numbers that would touch stand on two levels."""

    number: int
    x: float
    row: int
    shape: str
    kind: str
    who: str
    when: datetime


@dataclass(frozen=True, slots=True)
class Lifeline:
    """A claim from grant to end, or to now with the lease ahead."""

    start: float
    end: float
    lease: float
    live: bool
    marks: tuple[Mark, ...]
    left_out: int
    began: datetime
    ended: datetime
    held: timedelta

    @property
    def ahead(self) -> float:
        """Width of the lease ahead."""
        return round(max(0.0, self.lease - self.end), 1)

    @property
    def width(self) -> float:
        """Width of the time held."""
        return round(max(2.0, self.end - self.start), 1)


def lifeline(
    began: datetime, ended: datetime | None, lease: datetime, now: datetime, events: Sequence[Happened]
) -> Lifeline:
    """Lay a claim's life out; ``ended`` is ``None`` while it is live. The newest 40 events are marked."""
    until = ended or min(now, lease)
    last = max(until, lease if ended is None else until, began + timedelta(seconds=1))

    def at(moment: datetime) -> float:
        share = (moment - began) / (last - began)
        return round(LEFT + min(1.0, max(0.0, share)) * (RIGHT - LEFT), 1)

    marks: list[Mark] = []
    shown = events[-MOST_MARKS:]
    for number, event in enumerate(shown, start=len(events) - len(shown) + 1):
        x = at(event.created_at)
        touches = bool(marks) and x - marks[-1].x < CLOSE
        marks.append(
            Mark(
                number,
                x,
                1 - marks[-1].row if touches else 0,
                SHAPES.get(event.event_type, "dot"),
                event.event_type.replace("_", " ").replace("-", " "),
                event.operator or event.actor_engineer or "",
                event.created_at,
            )
        )
    live = ended is None and lease > now
    return Lifeline(
        at(began),
        at(until),
        at(last if ended is None else until),
        live,
        tuple(marks),
        len(events) - len(shown),
        began,
        until,
        until - began,
    )
