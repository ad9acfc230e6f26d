"""The one path for every way in which a claim can end: close, resolve its requests, drain the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from claims.locks import Locked, idle_cutoff, repository_lock
from claims.models import Claim, ClaimSymbol, ReleaseRequest, Repository
from claims.services import draining
from common import clock, metrics
from common.rows import batches, marks, stored
from webhooks.services import record
from webhooks.types import EventType, NewEvent

End = Claim.End
EVENTS = {
    End.RELEASED: EventType.CLAIM_RELEASED,
    End.SESSION: EventType.CLAIM_RELEASED,
    End.EXPIRED: EventType.CLAIM_EXPIRED,
    End.IDLE: EventType.CLAIM_IDLE,
    End.APPROVED: EventType.CLAIM_RELEASED,
    End.NARROWED: EventType.CLAIM_NARROWED,
    End.OPERATOR: EventType.CLAIM_RELEASED,
    End.HANDED: EventType.CLAIM_TRANSFERRED,
}
RESOLVED_AS = {
    End.RELEASED: "voluntary",
    End.SESSION: "session-bulk",
    End.APPROVED: "approved",
    End.NARROWED: "narrowed",
    End.OPERATOR: "operator",
    End.HANDED: "transferred",
}
_TABLE = Claim._meta.db_table
_ASKED = ReleaseRequest._meta.db_table


@dataclass(frozen=True, slots=True)
class Ended:
    """A claim that this call ended."""

    id: str
    engineer: str
    session_id: str | None
    pattern: str
    fence: int
    scope_type: str
    shortened: bool
    asked: bool


@dataclass(frozen=True, slots=True)
class By:
    """Who ended it, for the event."""

    engineer: str | None = None
    session_id: str | None = None
    operator: str | None = None
    reason: str | None = None


NOBODY = By()


def end_claims(
    locked: Locked, claim_ids: Sequence[str], end: Claim.End, by: By = NOBODY, *, drain: bool = True
) -> list[Ended]:
    """End open claims: close the rows, resolve their requests, record the events, serve the line.

    Already closed ids are passed over; when nothing was closed nothing else happens, so a release that
    releases nothing disturbs nobody. Emits one ``claim_released``/``claim_expired``/``claim_idle``/
    ``claim_narrowed``/``claim_transferred`` per claim, ``resolved`` or ``expired`` per open request.
    """
    ended: list[Ended] = []
    for chunk in batches(claim_ids):
        ended += _close(locked, chunk, end)
    if not ended:
        return []
    symbols = [claim.id for claim in ended if claim.scope_type == Claim.Scope.SYMBOL]
    if symbols:
        ClaimSymbol.objects.filter(claim_id__in=symbols).update(open=False)
    metrics.claims_released(len(ended))
    events = [_ended_event(locked, claim, end, by) for claim in ended]
    events += _resolve_requests(locked, ended, end, by)
    record(*events)
    if drain:
        draining.drain(locked, [claim.pattern for claim in ended])
    return ended


def settle_due(locked: Locked) -> int:
    """End the repository's claims whose lease or idle time has run out; returns how many."""
    open_claims = Claim.objects.filter(repository_id=locked.id, released_at__isnull=True).order_by("fence")
    expired = list(open_claims.filter(expires_at__lte=locked.now).values_list("id", flat=True))
    ended = end_claims(locked, expired, End.EXPIRED, drain=False)
    idle = list(
        open_claims.filter(
            last_activity__isnull=False, last_activity__lte=idle_cutoff(locked.now)
        ).values_list("id", flat=True)
    )
    ended += end_claims(locked, idle, End.IDLE, drain=False)
    if ended:
        draining.drain(locked)
    return len(ended)


def settle(name: str) -> int:
    """End what is due in one repository and serve its line. Safe to run at any time, twice, anywhere."""
    with repository_lock(name) as locked:
        ended = settle_due(locked) if locked.due else 0
        if not ended:
            draining.drain(locked)
        return ended


def sweep() -> int:
    """Settle every repository that has something due; returns how many claims ended."""
    now = clock.now()
    open_claims = Claim.objects.filter(released_at__isnull=True)
    due = set(open_claims.filter(expires_at__lte=now).values_list("repository__name", flat=True).distinct())
    due |= set(
        open_claims.filter(last_activity__isnull=False, last_activity__lte=idle_cutoff(now))
        .values_list("repository__name", flat=True)
        .distinct()
    )
    due |= set(draining.repositories_with_a_line())
    return sum(settle(name) for name in sorted(due))


def repository_of(claim_id: str) -> str | None:
    """The repository of a claim; ``None`` for an unknown id."""
    return Repository.objects.filter(claims__id=claim_id).values_list("name", flat=True).first()


def _close(locked: Locked, ids: Sequence[str], end: Claim.End) -> list[Ended]:
    if not ids:
        return []
    sql = (
        f"UPDATE {_TABLE} SET released_at = %s, end_reason = %s"
        f" WHERE id IN ({marks(ids)}) AND repository_id = %s AND released_at IS NULL"
        " RETURNING id, engineer, session_id, pattern, fence, scope_type, shortened_from,"
        f" EXISTS (SELECT 1 FROM {_ASKED} r WHERE r.claim_id = {_TABLE}.id AND r.decision = 'pending')"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [stored(locked.now), str(end), *ids, locked.id])
        rows = cursor.fetchall()
    found = {row[0]: row for row in rows}
    return [
        Ended(row[0], row[1], row[2], row[3], row[4], row[5], row[6] is not None, bool(row[7]))
        for row in (found[claim_id] for claim_id in dict.fromkeys(ids) if claim_id in found)
    ]


def _ended_event(locked: Locked, claim: Ended, end: Claim.End, by: By) -> NewEvent:
    detail: dict[str, Any] = {
        "claim_id": claim.id,
        "engineer": claim.engineer,
        "pattern": claim.pattern,
        "fence": claim.fence,
        "end_reason": str(end),
    }
    if by.reason:
        detail["reason"] = by.reason
    return NewEvent(
        type=EVENTS[end],
        repo=locked.name,
        actor_engineer=by.engineer or (None if by.operator else claim.engineer),
        actor_session_id=by.session_id or (None if by.operator else claim.session_id),
        operator=by.operator,
        claim_id=claim.id,
        detail=detail,
    )


def _resolve_requests(locked: Locked, ended: Sequence[Ended], end: Claim.End, by: By) -> list[NewEvent]:
    asked = {claim.id: claim for claim in ended if claim.asked}
    if not asked:
        return []
    events = []
    waiting = ReleaseRequest.objects.filter(claim_id__in=asked, decision=ReleaseRequest.Decision.PENDING)
    for request in list(waiting.order_by("created_at", "id")):
        ran_out = end in (End.EXPIRED, End.IDLE) and asked[request.claim_id].shortened
        decision = ReleaseRequest.Decision.EXPIRED if ran_out else ReleaseRequest.Decision.RESOLVED
        kind = "ttl-shortened" if ran_out else RESOLVED_AS.get(end, "ttl-or-idle")
        changed = ReleaseRequest.objects.filter(id=request.id, decision="pending").update(
            decision=decision, decided_at=locked.now
        )
        if changed:
            events.append(
                NewEvent(
                    type=EventType.EXPIRED if ran_out else EventType.RESOLVED,
                    repo=locked.name,
                    actor_engineer=by.engineer,
                    actor_session_id=by.session_id,
                    operator=by.operator,
                    claim_id=request.claim_id,
                    request_id=request.id,
                    detail={"release_kind": kind, "claim_id": request.claim_id},
                )
            )
    return events
