"""Who is asking, as authentication proved it. Services take a :class:`Caller`; they never see a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CallerKind = Literal["shared", "personal", "insecure", "admin", "system"]
Role = Literal["agent", "ci", "operator", "viewer"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The party behind a call.

    ``engineer`` is proven (a personal token's), never what a body says. ``session_id`` is the calling
    agent process's, from the ``X-Coord-Session`` header. ``repositories`` limits what the caller sees
    and touches; ``None`` is no limit. ``operator`` may act on anybody's claims. ``role`` is what a
    personal token is for: ``agent`` acts for its engineer, ``ci`` and ``viewer`` change nothing.
    ``name`` is the credential's: an engineer's tokens share it, so that limits and retries outlive a
    rotation. ``token_id`` is the personal token's row.
    """

    kind: CallerKind
    name: str
    engineer: str | None = None
    session_id: str | None = None
    repositories: frozenset[str] | None = None
    operator: bool = False
    role: Role = "agent"
    token_id: str | None = None

    @property
    def acts(self) -> bool:
        """Whether the caller may change anything."""
        return self.operator or self.role == "agent"

    @property
    def bound_engineer(self) -> str | None:
        """The only engineer that the caller may act for; ``None`` when it may name anybody."""
        return None if self.operator else self.engineer

    @property
    def operator_name(self) -> str | None:
        """The name that a change of somebody else's things is recorded under: a known operator's."""
        known = self.kind == "admin" or (self.kind == "personal" and self.operator)
        return self.name if known else None

    @property
    def sight(self) -> tuple[frozenset[str] | None, bool, str | None]:
        """What :meth:`sees` and :meth:`shown` depend on: callers of one sight are shown the same."""
        return self.repositories, self.operator, None if self.operator else self.session_id

    def sees(self, repository: str) -> bool:
        """Whether the repository is within the caller's limits."""
        return self.repositories is None or repository in self.repositories

    def shown(self, session_id: str | None) -> str | None:
        """A session id as the caller may see it: in full for an operator and for itself, else shortened."""
        if self.operator or session_id == self.session_id:
            return session_id
        return short_session(session_id)


def short_session(session_id: str | None) -> str | None:
    """A session id cut so that it names a session without being usable as one."""
    if session_id is None:
        return None
    return f"{session_id[: min(8, len(session_id) // 2)]}…"


SYSTEM = Caller(kind="system", name="coord", operator=True)
