"""The geometry of trends, heatmaps and timelines. Pure: figures in, coordinates out; templates draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

DAYS = 30
LEVELS = (1, 3, 10, 50)
"""From how many on a cell of the heatmap is one step darker."""
CELL = 22
WIDE = 1000


@dataclass(frozen=True, slots=True)
class Spark:
    """A trend: a line and the area below it, in a box of ``width`` by ``height``."""

    width: int
    height: int
    line: str
    area: str
    last_x: float
    last_y: float
    most: int
    first: int
    last: int


def spark(values: Sequence[int], *, width: int = 120, height: int = 30) -> Spark:
    """The trend of the values, oldest first; at least two."""
    top = max(*values, 1)
    step = (width - 4) / (len(values) - 1)
    points = [
        (round(2 + n * step, 1), round(height - 3 - value / top * (height - 7), 1))
        for n, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    area = f"2,{height - 1} {line} {width - 2},{height - 1}"
    return Spark(width, height, line, area, *points[-1], max(values), values[0], values[-1])


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a heatmap's row. ``name`` is the day in words, ``shown`` the figure as it fits the cell."""

    x: int
    day: date
    name: str
    count: int
    level: int
    shown: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A repository's days, oldest first."""

    name: str
    cells: tuple[Cell, ...]
    total: int
    busiest: Cell

    @property
    def width(self) -> int:
        """Of the picture."""
        return CELL * len(self.cells)


def heat_rows(
    counts: Mapping[tuple[str, str], int],
    today: date,
    *,
    limit: int,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> list[HeatRow]:
    """A row per repository with anything in the last 30 days, the busiest first.

    ``counts`` is keyed by repository and day (``2026-11-23``), ``notes`` likewise.
    """
    days = [today - timedelta(days=DAYS - 1 - n) for n in range(DAYS)]
    names = [f"{day.day} {day:%B}" for day in days]
    rows = []
    keys = [day.isoformat() for day in days]
    for repo in {repo for repo, _ in counts}:
        cells = tuple(
            _cell(n, day, names[n], counts.get((repo, key), 0), (notes or {}).get((repo, key)))
            for n, (day, key) in enumerate(zip(days, keys, strict=True))
        )
        total = sum(cell.count for cell in cells)
        if total:
            rows.append(HeatRow(repo, cells, total, max(cells, key=lambda cell: cell.count)))
    return sorted(rows, key=lambda row: (-row.total, row.name))[:limit]


def _cell(number: int, day: date, name: str, count: int, note: str | None) -> Cell:
    level = sum(count >= least for least in LEVELS)
    shown = "" if not count else str(count) if count < 1000 else f"{count // 1000}k"
    return Cell(number * CELL, day, name, count, level, shown, note or "")


@dataclass(frozen=True, slots=True)
class Bar:
    """A claim on a span of time that is 1000 wide: held until ``end``, then leased until ``lease``."""

    start: float
    end: float
    lease: float
    now: float
    began_before: bool

    @property
    def held(self) -> float:
        """Width of the time held."""
        return round(max(3.0, self.end - self.start), 1)

    @property
    def ahead(self) -> float:
        """Width of the lease that lies ahead."""
        return round(max(0.0, self.lease - self.end), 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a timeline shows."""

    start: datetime
    now: datetime
    end: datetime

    def at(self, moment: datetime) -> float:
        """Where a moment is, within the picture."""
        share = (moment - self.start) / (self.end - self.start)
        return round(min(1.0, max(0.0, share)) * WIDE, 1)

    def bar(self, began: datetime, ended: datetime | None, lease: datetime) -> Bar:
        """A claim's bar; ``ended`` is ``None`` while it is live."""
        until = ended or self.now
        ahead = lease if ended is None else until
        return Bar(self.at(began), self.at(until), self.at(ahead), self.at(self.now), began < self.start)


def span(now: datetime, moments: Sequence[datetime]) -> Span:
    """From the first of the moments (at most 24 h ago, at least 15 min), with now at two thirds."""
    first = min((moment for moment in moments), default=now)
    start = max(now - timedelta(hours=24), min(first, now - timedelta(minutes=15)))
    return Span(start, now, now + (now - start) / 2)
