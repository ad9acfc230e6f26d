"""Virtual time for the bridge's tests."""

from __future__ import annotations

from collections.abc import Callable

import anyio.lowlevel


class Clock:
    """Virtual time for a bridge in this process: sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.started = self.now
        self.slept: list[float] = []
        self.events: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.now

    def at(self, seconds: float, event: Callable[[], None]) -> None:
        """Do something once that much time has passed."""
        self.events.append((self.started + seconds, event))

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        due = sorted((event for event in self.events if event[0] <= end), key=lambda event: event[0])
        for moment, event in due:
            self.events.remove((moment, event))
            self.now = max(self.now, moment)
            event()
        self.now = end

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()

    @property
    def passed(self) -> float:
        return self.now - self.started
