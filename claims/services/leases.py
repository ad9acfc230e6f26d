"""Leases: extend one, keep a session's alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from claims.candidates import Holder, Search, holders
from claims.locks import Locked, idle_cutoff, repository_lock
from claims.models import Claim, ReleaseRequest
from claims.parties import Party
from claims.selectors.sessions import claims_of_session
from claims.services.activity import note_life
from claims.services.ending import settle_due
from claims.services.releasing import check_fence, may_release
from common import clock
from common.caller import Caller
from common.errors import NotFound
from ownership.selectors import current_rules
from patterns import parse
from webhooks.services import record
from webhooks.types import EventType, NewEvent

LOST_FOR = timedelta(hours=24)
LOST = (Claim.End.EXPIRED, Claim.End.IDLE, Claim.End.OPERATOR, Claim.End.HANDED)
GIVEN = (Claim.End.APPROVED, Claim.End.NARROWED)
"""Ends of a claim by an answer; lost when somebody else gave it."""
_MISSING = "Claim not found or not owned"


def extend_claim(
    claim_id: str,
    caller: Caller,
    *,
    engineer: str,
    ttl_hours: float,
    fence: int | None = None,
    reason: str | None = None,
) -> Claim:
    """Set a live claim's lease to ``ttl_hours`` from now. Emits ``claim_extended``.

    While a release request has cut the lease short, the cut stays; what denial restores is what grows.
    Shared files and paths have the shared lease at most. Raises :class:`NotFound` for a claim that is
    unknown, not the engineer's or whose lease has run out (it is not revived), :class:`Conflict` for a stale
    fence.
    """
    repo = Claim.objects.filter(id=claim_id).values_list("repository__name", flat=True).first()
    if repo is None or not caller.sees(repo):
        raise NotFound(_MISSING, next="List your claims with GET /claims?engineer=….")
    with repository_lock(repo) as locked:
        if locked.due:
            settle_due(locked)
        claim = Claim.objects.filter(id=claim_id, released_at__isnull=True, engineer=engineer).first()
        if claim is None or not may_release(caller, claim.engineer, engineer):
            raise NotFound(_MISSING, next="The lease may have run out: claim the scope again.")
        check_fence(claim.id, claim.fence, fence)
        if claim.claim_type == Claim.Type.SHARED_FILE or _on_shared_path(locked, claim):
            ttl_hours = min(ttl_hours, settings.COORD.shared_ttl_hours)
        end = locked.now + timedelta(hours=ttl_hours)
        if claim.shortened_from is None:
            claim.expires_at = end
        else:
            claim.shortened_from = max(end, claim.expires_at)
        if claim.session_id:
            claim.last_activity = locked.now
        claim.save(update_fields=["expires_at", "shortened_from", "last_activity"])
        record(
            NewEvent(
                type=EventType.CLAIM_EXTENDED,
                repo=repo,
                actor_engineer=engineer,
                actor_session_id=claim.session_id,
                operator=caller.operator_name,
                claim_id=claim.id,
                detail={
                    "claim_id": claim.id,
                    "expires_at": clock.iso(claim.expires_at),
                    "asked_until": clock.iso(end),
                    "shortened": claim.shortened_from is not None,
                    **({"reason": reason} if reason else {}),
                },
            )
        )
        return claim


def _on_shared_path(locked: Locked, claim: Claim) -> bool:
    pattern = parse(claim.pattern, case_insensitive=locked.case_insensitive)
    return current_rules().is_shared(locked.name, pattern)


@dataclass(frozen=True, slots=True)
class Lost:
    """A lease that a session lost without giving it up, and who else holds the scope now."""

    claim: Claim
    holder: Holder | None


def heartbeat(session_id: str, caller: Caller) -> tuple[int, list[Lost]]:
    """A sign of life: renews the session's idle time; returns its number of live claims and what it lost."""
    now = clock.now()
    note_life([session_id], now, caller)
    live = claims_of_session(session_id, caller).filter(
        released_at__isnull=True, expires_at__gt=now, last_activity__gt=idle_cutoff(now)
    )
    return live.count(), lost_leases(session_id, caller)


def lost_leases(session_id: str, caller: Caller) -> list[Lost]:
    """What the session lost during the last day and has not claimed again, newest first, 100 at most."""
    now = clock.now()
    ended = (
        claims_of_session(session_id, caller)
        .filter(_ended_or_over(now))
        .select_related("repository")
        .order_by("-released_at")[:100]
    )
    lost = []
    for claim in ended:
        again = Claim.objects.filter(
            session_id=session_id,
            repository_id=claim.repository_id,
            pattern=claim.pattern,
            created_at__gt=claim.created_at,
        )
        if not again.exists():
            lost.append(Lost(claim, _holder_now(claim)))
    return lost


def _ended_or_over(now: datetime) -> Q:
    over = Q(released_at__isnull=True) & (
        Q(expires_at__lte=now) | Q(last_activity__isnull=False, last_activity__lte=idle_cutoff(now))
    )
    for_the_holder = (
        ReleaseRequest.objects.filter(claim_id=OuterRef("pk"), decision__in=GIVEN)
        .exclude(decided_by_engineer=OuterRef("engineer"))
        .exclude(decided_by_session_id=OuterRef("session_id"))
    )
    given = Q(Exists(for_the_holder), end_reason__in=GIVEN)
    return over | Q(released_at__gt=now - LOST_FOR) & (Q(end_reason__in=LOST) | given)


def _holder_now(claim: Claim) -> Holder | None:
    folded = claim.repository.case_insensitive
    own = Party(claim.engineer, claim.session_id)
    search = Search(claim.repository_id, clock.now(), folded, exclude=own)
    return next(holders(search, parse(claim.pattern, case_insensitive=folded)), None)
