"""Carrying out a holder's answer: narrow the claim, or let the requester in beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings

from claims import line
from claims.locks import Locked
from claims.models import Claim, ClaimSymbol, Partnership, ReleaseRequest
from claims.parties import Party
from claims.scopes import ClaimRequest, Item, ItemError, read_items, read_pattern
from claims.services import draining
from claims.services.ending import By, End, end_claims
from claims.services.granting import link_partners, partner_events
from claims.services.succeeding import partners_of, succeed
from claims.verdicts import Question, Verdict, judge
from common import clock
from common.errors import Conflict, ErrorCode, Invalid
from ownership.selectors import current_rules
from patterns import Pattern, TooComplex, contains
from symbols import paths_overlap
from webhooks.services import record
from webhooks.types import EventType, NewEvent


class Wanted(Protocol):
    """The part of an answer that names patterns."""

    @property
    def narrowed_pattern(self) -> str | None:
        """What the holder keeps."""

    @property
    def coexist_pattern(self) -> str | None:
        """Where the requester may work too."""

    @property
    def coexist_symbols(self) -> Mapping[str, Sequence[str]] | None:
        """Which symbols of which files the requester may work on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The checked patterns of an answer."""

    pattern: Pattern | None = None
    items: tuple[Item, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)


def prepare(locked: Locked, request: ReleaseRequest, decision: str, wanted: Wanted) -> Prepared:
    """Check an answer's patterns before anything changes. Raises :class:`Invalid` or :class:`Conflict`."""
    try:
        if decision == ReleaseRequest.Decision.NARROWED:
            return Prepared(pattern=_inside(locked, request.claim, wanted.narrowed_pattern or "", "narrowed"))
        if decision == ReleaseRequest.Decision.COEXIST:
            items, verdict = _coexist_items(locked, request, wanted)
            return Prepared(items=items, verdict=verdict)
    except ItemError as error:
        raise Invalid(error.warning, next=error.hint) from error
    return Prepared()


def narrow(
    locked: Locked, request: ReleaseRequest, prepared: Prepared, by: By
) -> tuple[list[str], dict[str, Any]]:
    """Replace the claim by its narrower self, which keeps symbols, narrowability, partners; free the rest."""
    old, pattern = request.claim, prepared.pattern
    if pattern is None:
        raise Invalid("narrowed needs narrowed_pattern")
    end_claims(locked, [old.id], End.NARROWED, by, drain=False)
    new = succeed(locked, old, pattern)
    draining.drain(locked, [old.pattern])
    return [new.id], {
        "narrowed_pattern": pattern.text,
        "original_pattern": old.pattern,
        "original_claim_id": old.id,
        "new_claim_id": new.id,
        "fence": new.fence,
        "expires_at": clock.iso(new.expires_at),
        "partner_claim_ids": partners_of(new),
    }


def coexist(locked: Locked, request: ReleaseRequest, prepared: Prepared) -> tuple[list[str], dict[str, Any]]:
    """Let the requester in beside the holder, on the agreed scope and nothing else."""
    holder = request.claim
    made = [_partner_claim(locked, request, item) for item in prepared.items]
    Partnership.objects.bulk_create(
        Partnership(
            holder=holder,
            partner=claim,
            kind=Partnership.Kind.COEXIST,
            pattern=claim.pattern,
            symbols=list(item.symbols) if item.symbols else None,
            created_at=locked.now,
        )
        for claim, item in zip(made, prepared.items, strict=True)
    )
    links = link_partners(locked, prepared.verdict, dict(enumerate(made)))
    record(
        *(
            _coexist_event(locked, holder, claim, request, item)
            for claim, item in zip(made, prepared.items, strict=True)
        ),
        *partner_events(locked, Party(request.requester_engineer, request.requester_session_id), links),
    )
    draining.drain(locked, [claim.pattern for claim in made])  # the requester may be in line for it too
    return [claim.id for claim in made], {
        "coexist_pattern": made[0].pattern,
        "holder_claim_id": holder.id,
        "requester_claim_id": made[0].id,
    }


def _partner_claim(locked: Locked, request: ReleaseRequest, item: Item) -> Claim:
    claim = Claim.objects.create(
        repository_id=locked.id,
        engineer=request.requester_engineer,
        session_id=request.requester_session_id,
        description=f"coexist via request {request.id}",
        claim_type=Claim.Type.FILE,
        pattern=item.pattern.text,
        prefix=item.pattern.prefix,
        tail=item.pattern.tail,
        scope_type=item.scope_type,
        narrowable=item.narrowable,
        severity=current_rules().severity(locked.name, item.pattern),
        fence=locked.next_number(),
        created_at=locked.now,
        expires_at=locked.now + timedelta(hours=settings.COORD.default_ttl_hours),
        last_activity=locked.now if request.requester_session_id else None,
    )
    ClaimSymbol.objects.bulk_create(
        ClaimSymbol(claim=claim, repository_id=locked.id, path=path, prefix=claim.prefix)
        for path in item.symbols or ()
    )
    return claim


def _inside(locked: Locked, claim: Claim, text: str, answer: str) -> Pattern:
    inner = read_pattern(text, case_insensitive=locked.case_insensitive)
    outer = read_pattern(claim.pattern, case_insensitive=locked.case_insensitive)
    try:
        inside = contains(outer, inner)
    except TooComplex as error:
        raise Invalid(
            f"{answer} pattern '{text}' is too intricate to compare with '{claim.pattern}'.",
            next="Use a pattern with fewer wildcards.",
        ) from error
    if not inside:
        raise Invalid(
            f"{answer} pattern '{text}' is not inside the holder's pattern '{claim.pattern}'",
            next=f"Name a part of '{claim.pattern}'.",
        )
    return inner


def _coexist_items(
    locked: Locked, request: ReleaseRequest, wanted: Wanted
) -> tuple[tuple[Item, ...], Verdict]:
    raw: list[dict[str, Any]]
    if wanted.coexist_symbols:
        raw = [{"pattern": file, "symbols": list(paths)} for file, paths in wanted.coexist_symbols.items()]
    else:
        raw = [{"pattern": wanted.coexist_pattern}]
    items = read_items(raw, case_insensitive=locked.case_insensitive)
    held = list(request.claim.symbols.values_list("path", flat=True))
    for item in items:
        _inside(locked, request.claim, item.sent, "coexist")
        if held and any(paths_overlap(mine, theirs) for mine in item.symbols or () for theirs in held):
            raise Invalid(
                f"coexist symbols of '{item.sent}' meet the holder's own: {', '.join(sorted(held))}"
            )
    party = Party(request.requester_engineer, request.requester_session_id)
    asked = Question(
        locked.id,
        locked.now,
        party,
        locked.case_insensitive,
        shared=current_rules().shared(locked.name, case_insensitive=locked.case_insensitive),
        ignore_claims=(request.claim_id,),
    )
    verdict = judge(asked, items)
    if verdict.conflicts:
        third = verdict.conflicts[0].holder
        raise Conflict(
            f"'{verdict.conflicts[0].item.sent}' is held by {third.party.label} as '{third.pattern}' too.",
            next="Agree on a scope that only you hold.",
        )
    _check_no_cycle(locked, ClaimRequest(locked.name, party, items))
    return items, verdict


def _check_no_cycle(locked: Locked, wanted: ClaimRequest) -> None:
    """Refuse what would let the requester hold what a party waits for that the requester waits for."""
    in_line = line.in_line(locked)
    first = line.must_go_first(wanted, in_line.clashing(wanted), locked.now, in_line)
    if first:
        raise Conflict(
            f"{first[0].party.label} waits for it, and {wanted.party.label} waits for {first[0].party.label}:"
            " neither could go on.",
            code=ErrorCode.DEADLOCK,
            next="Approve or deny instead.",
        )


def _coexist_event(
    locked: Locked, holder: Claim, claim: Claim, request: ReleaseRequest, item: Item
) -> NewEvent:
    return NewEvent(
        type=EventType.CLAIM_COEXIST,
        repo=locked.name,
        actor_engineer=claim.engineer,
        actor_session_id=claim.session_id,
        claim_id=claim.id,
        request_id=request.id,
        detail={
            "holder_claim_id": holder.id,
            "requester_claim_id": claim.id,
            "coexist_pattern": claim.pattern,
            "scope_type": claim.scope_type,
            "symbols": list(item.symbols) if item.symbols else None,
            "fence": claim.fence,
            "expires_at": clock.iso(claim.expires_at),
        },
    )
