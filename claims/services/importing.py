"""Taking over live claims and release requests from another service, under their own ids.

Each claim passes the same verdict as a new one, so that taking over breaks no promise: what overlaps a
claim that lives here, or one that was taken over before it, stays behind and is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from claims.locks import Locked, idle_cutoff
from claims.models import Claim, Partnership, ReleaseRequest
from claims.parties import Party
from claims.scopes import ClaimRequest, Item, ItemError, read_items
from claims.services.granting import granted_event, insert_claims, link_partners, write_symbols
from claims.verdicts import Coexistence, Conflict, Question, Verdict, judge
from common import clock
from ownership.selectors import current_rules
from patterns import TooComplex, contains, parse
from webhooks.services import record
from webhooks.types import EventType, NewEvent

LONGEST = timedelta(days=30)
TAKEN, KNOWN = "imported", "known"


@dataclass(frozen=True, slots=True)
class ForeignClaim:
    """A claim as the other service has it. ``partners`` are the ids of claims that it may overlap."""

    id: str
    engineer: str
    session_id: str | None
    branch: str | None
    description: str | None
    claim_type: str
    pattern: str
    symbols: tuple[str, ...]
    narrowable: bool
    created_at: datetime
    expires_at: datetime
    last_activity: datetime | None
    partners: frozenset[str] = frozenset()

    @property
    def party(self) -> Party:
        """Who holds it."""
        return Party(self.engineer, self.session_id)


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """A release request as the other service has it."""

    id: str
    claim_id: str
    requester_engineer: str
    requester_session_id: str | None
    requested_pattern: str
    requested_scope: str | None
    reason: str | None
    urgency: str
    decision: str
    decided_at: datetime | None
    decided_by_engineer: str | None
    decided_by_session_id: str | None
    note: str | None
    original_expires_at: datetime
    shortened_expires_at: datetime
    created_at: datetime


def import_claim(locked: Locked, foreign: ForeignClaim) -> str:
    """Take one claim over: ``imported``, ``known`` (it is here already), or why it stays behind.

    It keeps its id, its times (30 days at most) and its symbols, and gets a fence of this service. Emits
    ``claim_granted`` with ``imported``. The caller holds the repository's lock.
    """
    if Claim.objects.filter(id=foreign.id).exists():
        return KNOWN
    if foreign.expires_at <= locked.now:
        return "its lease has run out"
    idle = foreign.session_id and foreign.last_activity and foreign.last_activity <= idle_cutoff(locked.now)
    if idle:
        return "its session has shown no sign of life for too long"
    try:
        [item] = read_items([_raw(foreign)], case_insensitive=locked.case_insensitive)
    except ItemError as error:
        return f"{error}" + (f" {error.hint}" if error.hint else "")
    rules = current_rules()
    question = Question(
        locked.id,
        locked.now,
        foreign.party,
        locked.case_insensitive,
        shared=rules.shared(locked.name, case_insensitive=locked.case_insensitive),
    )
    verdict = judge(question, [item])
    if 0 in verdict.held:
        return f"its holder holds the same here already (claim {verdict.held[0]})"
    blocking = [one for one in verdict.conflicts if one.holder.id not in foreign.partners]
    if blocking:
        return _in_the_way(blocking[0])
    agreed = [_agreed(one, locked.case_insensitive) for one in verdict.conflicts]
    severity = rules.severity(locked.name, item.pattern)
    _insert(locked, foreign, item, Verdict(coexistences=[*verdict.coexistences, *agreed]), severity)
    return TAKEN


def _raw(foreign: ForeignClaim) -> dict[str, object]:
    known = foreign.claim_type in Claim.Type.values
    return {
        "pattern": foreign.pattern,
        "type": foreign.claim_type if known else Claim.Type.FILE,
        "symbols": list(foreign.symbols) or None,
        "narrowable": foreign.narrowable,
    }


def _in_the_way(conflict: Conflict) -> str:
    holder = conflict.holder
    return f"it overlaps {holder.pattern} of {holder.party.label} (claim {holder.id})"


def _agreed(conflict: Conflict, case_insensitive: bool) -> Coexistence:
    """Partners there are partners here, on the narrower of their two scopes and on nothing else."""
    item = conflict.item
    held = parse(conflict.holder.pattern, case_insensitive=case_insensitive)
    try:
        scope = held if contains(item.pattern, held) else item.pattern
    except TooComplex:
        scope = item.pattern
    return Coexistence(conflict.index, conflict.holder, Partnership.Kind.COEXIST, scope.text, item.symbols)


def _insert(locked: Locked, foreign: ForeignClaim, item: Item, verdict: Verdict, severity: str) -> None:
    claim = Claim(
        id=foreign.id,
        repository_id=locked.id,
        engineer=foreign.engineer,
        session_id=foreign.session_id,
        branch=foreign.branch,
        description=foreign.description,
        claim_type=item.claim_type,
        pattern=item.pattern.text,
        prefix=item.pattern.prefix,
        tail=item.pattern.tail,
        scope_type=item.scope_type,
        narrowable=item.narrowable,
        severity=severity,
        fence=locked.next_number(),
        created_at=foreign.created_at,
        expires_at=min(foreign.expires_at, locked.now + LONGEST),
        last_activity=(foreign.last_activity or locked.now) if foreign.session_id else None,
    )
    insert_claims([claim])
    write_symbols(locked, ClaimRequest(locked.name, foreign.party, (item,)), {0: claim})
    link_partners(locked, verdict, {0: claim})
    symbols = {claim.id: item.symbols}
    record(granted_event(locked.name, foreign.party, [claim], symbols=symbols, imported=True))


def import_request(locked: Locked, foreign: ForeignRequest) -> str:
    """Take one release request over with its claim: ``imported``, ``known``, or why it stays behind.

    An open one cuts the claim's lease as it did there, and its denial restores it. Emits ``filed`` for it.
    The caller holds the repository's lock.
    """
    if ReleaseRequest.objects.filter(id=foreign.id).exists():
        return KNOWN
    claim = Claim.objects.filter(id=foreign.claim_id, repository_id=locked.id).first()
    if claim is None:
        return "its claim is not here"
    if foreign.decision not in ReleaseRequest.Decision.values:
        return f"its decision '{foreign.decision[:40]}' is unknown"
    open_ = foreign.decision == ReleaseRequest.Decision.PENDING
    if open_ and claim.released_at is not None:
        return "its claim has ended"
    same = ReleaseRequest.objects.filter(
        claim=claim,
        requester_engineer=foreign.requester_engineer,
        requester_session_id=foreign.requester_session_id,
        decision=ReleaseRequest.Decision.PENDING,
    )
    if open_ and same.exists():
        return "its requester asks for the same claim already"
    fields = {name: getattr(foreign, name) for name in ForeignRequest.__slots__}
    ReleaseRequest.objects.create(**fields)
    if open_:
        if claim.shortened_from is None and foreign.original_expires_at > claim.expires_at:
            claim.shortened_from = min(foreign.original_expires_at, locked.now + LONGEST)
            claim.save(update_fields=["shortened_from"])
        record(_filed(locked, claim, foreign))
    return TAKEN


def _filed(locked: Locked, claim: Claim, foreign: ForeignRequest) -> NewEvent:
    return NewEvent(
        type=EventType.FILED,
        repo=locked.name,
        actor_engineer=foreign.requester_engineer,
        actor_session_id=foreign.requester_session_id,
        claim_id=claim.id,
        request_id=foreign.id,
        detail={
            "claim_id": claim.id,
            "pattern": claim.pattern,
            "requested_scope": foreign.requested_scope,
            "urgency": foreign.urgency,
            "reason": foreign.reason,
            "original_expires_at": clock.iso(foreign.original_expires_at),
            "shortened_expires_at": clock.iso(foreign.shortened_expires_at),
            "imported": True,
        },
    )


def in_order(claims: Sequence[ForeignClaim]) -> list[ForeignClaim]:
    """The order in which claims are taken over: who was first there is first here."""
    return sorted(claims, key=lambda claim: (claim.created_at, claim.id))
