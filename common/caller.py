"""Who is asking, as authentication proved it. Services take a :class:`Caller`; they never see a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CallerKind = Literal["shared", "personal", "insecure", "admin", "system"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The party behind a call.

    ``engineer`` is proven (a personal token's), never what a body says. ``session_id`` is the calling
    agent process's, from the ``X-Coord-Session`` header. ``repositories`` limits what the caller sees
    and touches; ``None`` is no limit. ``operator`` may act on anybody's claims.
    """

    kind: CallerKind
    name: str
    engineer: str | None = None
    session_id: str | None = None
    repositories: frozenset[str] | None = None
    operator: bool = False

    def sees(self, repository: str) -> bool:
        """Whether the repository is within the caller's limits."""
        return self.repositories is None or repository in self.repositories


SYSTEM = Caller(kind="system", name="coord", operator=True)
