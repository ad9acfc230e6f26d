"""What every tool works with: the service, who asks, which session, and how to wait."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio

from coordsite.bridge.environment import Settings
from coordsite.bridge.notices import Notices, lease_key, lease_text
from coordsite.bridge.service import Service

_REMEMBERED = 10_000
Report = Callable[[float, float, str], Awaitable[None]]
"""Progress of a wait: seconds waited, seconds in all, where it stands."""


class Source(Protocol):
    """The files that symbols are looked up in; a bridge without a checkout has none."""

    def unknown_symbols(self, wanted: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
        """One text per file that lacks a wanted symbol, and a warning per file that cannot be checked."""

    def symbols_of(self, file: str, text: str | None = None) -> dict[str, Any]:
        """What can be claimed in a file, or why that cannot be said (``detail``, ``code``, ``next``).

        ``text`` is the file's content where the caller has it; else it is read from the checkout.
        """


@dataclass(frozen=True, slots=True)
class Pace:
    """How a wait is cut up; seconds. ``first`` is short so that the place in line is known at once."""

    first: int = 1
    slice: int = 25
    poll: float = 1.0
    grace: float = 10.0
    cleanup: float = 5.0


@dataclass
class Bridge:
    """One session's side of the service. Tools get everything from here, nothing from globals."""

    service: Service
    notices: Notices
    source: Source | None = None
    pace: Pace = field(default_factory=Pace)
    parsers: anyio.CapacityLimiter | None = None
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    monotonic: Callable[[], float] = time.monotonic
    _reported: dict[str, None] = field(default_factory=dict)
    _last_engineer: str | None = None
    _identities: dict[tuple[str, str | None], str | None] = field(default_factory=dict)

    @property
    def session_id(self) -> str:
        """The session that every call is made for."""
        return self.service.session_id

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self.service.settings()

    async def engineer(self, given: str | None = None) -> str:
        """Who asks: as given, as configured, as given last, as the token says, else ``agent``."""
        if given and given.strip():
            self._last_engineer = given.strip()
            return self._last_engineer
        return self.settings.identity or self._last_engineer or await self._token_owner() or "agent"

    def told(self, claim_ids: Iterable[object]) -> None:
        """Note claims that the caller was told of."""
        self._reported.update((str(claim_id), None) for claim_id in claim_ids)
        for claim_id in list(self._reported)[:-_REMEMBERED]:
            del self._reported[claim_id]

    def knows(self, claim_id: str) -> bool:
        """Whether the caller was told of a claim."""
        return claim_id in self._reported

    async def _token_owner(self) -> str | None:
        settings = self.settings
        at = (settings.api_url, settings.token)
        if at not in self._identities:
            answer = await self.service.get("/whoami", budget=5.0)
            if not answer.ok:
                return None
            name = answer.body.get("engineer")
            self._identities = {at: name if isinstance(name, str) and name else None}
        return self._identities[at]

    def lost(self, rows: object, *, told: bool = False) -> None:
        """Note lost leases, to be told with the next reply unless this reply tells them already."""
        for row in rows if isinstance(rows, list) else ():
            entry = row if isinstance(row, Mapping) else {"claim_id": str(row)}
            if told:
                self.notices.note(lease_key(entry))
            else:
                self.notices.add(lease_key(entry), lease_text(entry))
