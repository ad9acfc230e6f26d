"""Releasing: by claim, by session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import connection

from claims.locks import Locked, repository_locks
from claims.models import Claim, Repository
from claims.services import draining
from claims.services.ending import By, End, Ended, end_claims
from common.caller import Caller
from common.errors import Conflict, ErrorCode
from common.rows import batches, marks
from ownership.services import resolve_contention
from queueing import services as tickets
from queueing.models import IN_LINE, Ticket

_OPEN = (
    f"SELECT c.id, r.name, c.engineer, c.fence FROM {Claim._meta.db_table} c"
    f" JOIN {Repository._meta.db_table} r ON r.id = c.repository_id"
    " WHERE c.id IN ({}) AND c.released_at IS NULL"
)
_Found = dict[tuple[str, Claim.End], list[str]]
"""Claims by repository and by how they end."""


def release_claims(
    claim_ids: Sequence[str],
    caller: Caller,
    *,
    engineer: str | None = None,
    fences: dict[str, int] | None = None,
    reason: str | None = None,
) -> list[Ended]:
    """Release what the caller may release of these claims, all in one transaction; returns those.

    ``engineer`` limits it to that engineer's claims, a personal token to its engineer's. Unknown, ended
    and foreign ids release nothing and disturb nobody. What an operator releases of somebody else's its
    holder is told as lost. A stale fence in ``fences`` of a claim that the
    caller may release refuses the whole call (409 ``stale_fence``).
    """
    ids = list(dict.fromkeys(claim_ids))
    found: _Found = defaultdict(list)
    for claim_id, repo, holder, fence in _open_claims(ids):
        if caller.sees(repo) and may_release(caller, holder, engineer):
            check_fence(claim_id, fence, (fences or {}).get(claim_id))
            found[repo, _end(caller, holder, End.RELEASED)].append(claim_id)
    if not found:
        return []
    by = By(
        engineer=engineer or caller.engineer,
        session_id=caller.session_id,
        operator=caller.operator_name,
        reason=reason,
    )
    order = {claim_id: place for place, claim_id in enumerate(ids)}
    with repository_locks([repo for repo, _ in found]) as locks:
        return [
            claim
            for (repo, end), theirs in found.items()
            for claim in end_claims(locks[repo], sorted(theirs, key=order.__getitem__), end, by)
        ]


def _open_claims(ids: Sequence[str]) -> Iterator[tuple[str, str, str, int]]:
    """Id, repository, engineer and fence of those that have not ended."""
    for chunk in batches(ids):
        with connection.cursor() as cursor:
            cursor.execute(_OPEN.format(marks(chunk)), chunk)
            yield from cursor.fetchall()


def release_session(
    session_id: str, caller: Caller, *, repo: str | None = None, reason: str | None = None
) -> list[Ended]:
    """End everything a session holds or waits for, in the caller's repositories; the session may go on."""
    claims = Claim.objects.filter(session_id=session_id, released_at__isnull=True)
    places = Ticket.objects.filter(session_id=session_id, state__in=IN_LINE)
    if repo is not None:
        claims, places = claims.filter(repository__name=repo), places.filter(repo=repo)
    if caller.bound_engineer is not None:
        own = {"engineer": caller.bound_engineer}
        claims, places = claims.filter(**own), places.filter(**own)
    found: _Found = defaultdict(list)
    for claim_id, name, holder in claims.order_by("fence").values_list("id", "repository__name", "engineer"):
        if caller.sees(name):
            found[name, _end(caller, holder, End.SESSION)].append(claim_id)
    waiting: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in places.order_by("place"):
        if caller.sees(ticket.repo):
            waiting[ticket.repo].append(ticket)
    by = By(session_id=session_id, operator=caller.operator_name, reason=reason)
    with repository_locks([*(name for name, _ in found), *waiting]) as locks:
        left = {name: _leave_line(locks[name], places_here) for name, places_here in waiting.items()}
        ended = [
            claim for (name, end), ids in found.items() for claim in end_claims(locks[name], ids, end, by)
        ]
        for name, patterns in left.items():
            draining.drain(locks[name], patterns)
        return ended


def _leave_line(locked: Locked, own: Sequence[Ticket]) -> list[str]:
    """Cancel a session's places; the patterns that they stood for."""
    left = []
    for ticket in own:
        if tickets.cancel(ticket, locked.now, "session"):
            resolve_contention(ticket.id, "gave_up")
            left += draining.patterns_of(ticket)
    return left


def _end(caller: Caller, holder: str, own: Claim.End) -> Claim.End:
    """How a claim ends that the caller releases: its holder's own doing, or a known operator's."""
    by_another = caller.operator_name is not None and caller.engineer != holder
    return End.OPERATOR if by_another else own


def may_release(caller: Caller, holder: str, engineer: str | None) -> bool:
    """Whether the caller may end this holder's claim, in the name of ``engineer`` if one is named."""
    return (not engineer or engineer == holder) and caller.bound_engineer in (None, holder)


def check_fence(claim_id: str, fence: int, presented: int | None) -> None:
    """Refuse a fence that is not the claim's: the presenter's knowledge is out of date."""
    if presented is not None and presented != fence:
        raise Conflict(
            f"Claim {claim_id} has fence {fence}, not {presented}.",
            code=ErrorCode.STALE_FENCE,
            next="Claim the scope again and use the fence of the answer.",
        )
