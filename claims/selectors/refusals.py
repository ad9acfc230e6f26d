"""What became of refused requests, told from the contention log and the claims that stood in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from claims.locks import idle_cutoff
from claims.models import Claim
from common.filters import Filter
from ownership.models import Contention
from ownership.selectors import recent_contention

ROWS_PER_REQUEST = 4


class Became(StrEnum):
    """What became of a refused request."""

    BLOCKED = "blocked"
    WAITING = "waiting"
    GRANTED = "granted later"
    GAVE_UP = "gave up"
    FREE = "free since: released"
    EXPIRED = "free since: lease ran out"
    IDLE = "free since: no sign of life"
    GIVEN = "free since: given up on request"
    OPERATOR = "free since: released by an operator"
    UNKNOWN = "holder no longer on record"


_ENDS = {
    Claim.End.EXPIRED: Became.EXPIRED,
    Claim.End.IDLE: Became.IDLE,
    Claim.End.APPROVED: Became.GIVEN,
    Claim.End.NARROWED: Became.GIVEN,
    Claim.End.OPERATOR: Became.OPERATOR,
}
_ORDER = (Became.BLOCKED, Became.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request: its first item and holder, how many more pairs there were, what became of it."""

    request_uid: str
    repo: str
    attempted_by: str
    session_id: str | None
    pattern: str
    holder_engineer: str
    holder_pattern: str
    claim_id: str
    more: int
    created_at: datetime
    became: Became


def recent_refusals(seen: Filter, now: datetime, *, limit: int) -> list[Refusal]:
    """The newest refused requests. Two queries."""
    requests: dict[str, list[Contention]] = {}
    for row in recent_contention(seen, limit=limit * ROWS_PER_REQUEST):
        requests.setdefault(row.request_uid, []).append(row)
    shown = list(requests.values())[:limit]
    holders = Claim.objects.in_bulk([row.claim_id for rows in shown for row in rows])
    return [_refusal(rows, holders, now) for rows in shown]


def _refusal(rows: Sequence[Contention], holders: dict[str, Claim], now: datetime) -> Refusal:
    judged = sorted(
        ((_became(row, holders.get(row.claim_id), now), row) for row in rows),
        key=lambda pair: _ORDER.index(pair[0]) if pair[0] in _ORDER else len(_ORDER),
    )
    became, row = judged[0]
    return Refusal(
        request_uid=row.request_uid,
        repo=row.repo,
        attempted_by=row.attempted_by,
        session_id=row.attempted_session_id,
        pattern=row.pattern,
        holder_engineer=row.holder_engineer,
        holder_pattern=row.holder_pattern,
        claim_id=row.claim_id,
        more=len(rows) - 1,
        created_at=row.created_at,
        became=became,
    )


def _became(row: Contention, holder: Claim | None, now: datetime) -> Became:
    if row.resolution == Contention.Resolution.GRANTED_LATER:
        return Became.GRANTED
    if row.resolution == Contention.Resolution.GAVE_UP:
        return Became.GAVE_UP
    if holder is None:
        return Became.UNKNOWN
    if holder.released_at is None:
        if holder.expires_at <= now:
            return Became.EXPIRED
        if holder.last_activity is not None and holder.last_activity <= idle_cutoff(now):
            return Became.IDLE
        return Became.WAITING if row.resolution == Contention.Resolution.WAITED else Became.BLOCKED
    return _ENDS.get(Claim.End(holder.end_reason), Became.FREE)
