"""Who counts as one: two claims of one party never stand in each other's way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from common.caller import short_session


@dataclass(frozen=True, slots=True)
class Party:
    """An engineer, and the session (one agent process) that acts for the engineer.

    Two parties are the same when their sessions are equal; where either has no session, when the
    engineer names are equal. So two agents of one person do not silently share a file, and the
    sub-agents of one session do.
    """

    engineer: str
    session_id: str | None = None

    def is_same(self, engineer: str, session_id: str | None) -> bool:
        """Whether the named engineer and session are this party."""
        if self.session_id is not None and session_id is not None:
            return self.session_id == session_id
        return self.engineer == engineer

    @property
    def label(self) -> str:
        """The party as shown to others: the engineer, with a shortened session."""
        return f"{self.engineer} ({short_session(self.session_id)})" if self.session_id else self.engineer


@dataclass(slots=True)
class Roll:
    """How often each party is named, whatever the number of names."""

    _by_session: Counter[str] = field(default_factory=Counter)
    _by_engineer: Counter[str] = field(default_factory=Counter)
    _without_session: Counter[str] = field(default_factory=Counter)

    def add(self, engineer: str, session_id: str | None, times: int = 1) -> None:
        """Name a party."""
        self._by_engineer[engineer] += times
        if session_id is None:
            self._without_session[engineer] += times
        else:
            self._by_session[session_id] += times

    def count(self, party: Party) -> int:
        """How often somebody was named who :meth:`Party.is_same`."""
        if party.session_id is None:
            return self._by_engineer[party.engineer]
        return self._by_session[party.session_id] + self._without_session[party.engineer]
