"""All writes of the ownership document and the contention log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from common import clock
from ownership.models import Contention


@dataclass(frozen=True, slots=True)
class Attempt:
    """One refused item and one holder that stood in the way."""

    request_uid: str
    repo: str
    pattern: str
    attempted_by: str
    attempted_session_id: str | None
    claim_id: str
    holder_engineer: str
    holder_pattern: str


def log_contention(attempts: Sequence[Attempt]) -> None:
    """Write a refused request's rows, in the caller's transaction and one statement."""
    now = clock.now()
    Contention.objects.bulk_create(Contention(**asdict(attempt), created_at=now) for attempt in attempts)


def resolve_contention(request_uid: str, resolution: str) -> None:
    """Say how a refused request went on: ``waited``, ``granted_later`` or ``gave_up``."""
    Contention.objects.filter(request_uid=request_uid).update(resolution=resolution)
