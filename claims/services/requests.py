"""Release requests: ask a holder, and the holder's four answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from claims.locks import Locked, repository_lock
from claims.models import Claim, ReleaseRequest
from claims.parties import Party
from claims.services import answering
from claims.services.ending import By, End, end_claims, settle_due
from common import clock
from common.caller import Caller
from common.errors import Conflict, Forbidden, Invalid, NotFound
from webhooks.services import record
from webhooks.types import EventType, NewEvent

Decision = ReleaseRequest.Decision
ANSWERS = ("approved", "denied", "narrowed", "coexist")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a requester says."""

    claim_id: str
    party: Party
    reason: str | None = None
    urgency: str = "normal"
    requested_scope: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a holder says."""

    decision: str
    engineer: str | None = None
    session_id: str | None = None
    note: str | None = None
    narrowed_pattern: str | None = None
    coexist_pattern: str | None = None
    coexist_symbols: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The request after the answer, and the claims that the answer made."""

    request: ReleaseRequest
    claim_ids: list[str] = field(default_factory=list)


def file_request(ask: Ask, caller: Caller) -> ReleaseRequest:
    """Ask the holder of a live claim to give it up. Emits ``filed``.

    The lease is cut to the short window once, however many ask; what it was is kept and restored by a
    denial. A party's open request is returned when it asks again. A party that was denied recently may
    ask, and does not cut the lease again. Raises :class:`NotFound`, :class:`Conflict` (the claim has
    ended, or is the requester's own).
    """
    repo = Claim.objects.filter(id=ask.claim_id).values_list("repository__name", flat=True).first()
    if repo is None or not caller.sees(repo):
        raise NotFound(f"\"unknown claim_id '{ask.claim_id}'\"", next="List live claims with GET /claims.")
    with repository_lock(repo) as locked:
        if locked.due:
            settle_due(locked)
        claim = Claim.objects.get(id=ask.claim_id)
        _check_askable(claim, ask)
        before = _open_request(claim, ask.party)
        if before is not None:
            return before
        _shorten(locked, claim, ask.party)
        request = ReleaseRequest.objects.create(
            claim=claim,
            requester_engineer=ask.party.engineer,
            requester_session_id=ask.party.session_id,
            requested_pattern=claim.pattern,
            requested_scope=ask.requested_scope,
            reason=ask.reason,
            urgency=ask.urgency,
            original_expires_at=claim.shortened_from or claim.expires_at,
            shortened_expires_at=claim.expires_at,
            created_at=locked.now,
        )
        record(_filed(locked, claim, request))
        return request


def respond(request_id: str, answer: Answer, caller: Caller) -> Answered:
    """Answer a request, once; a late answer changes nothing and is recorded as ``responded-late``.

    Only the holder (its session, its token, an operator) may answer. Approval ends the claim and serves
    the line; denial restores the lease; narrowing and coexistence check the patterns exactly. Emits
    ``responded``; wakes the requester.
    """
    _check_answer(answer)
    request = ReleaseRequest.objects.select_related("claim__repository").filter(id=request_id).first()
    if request is None or not caller.sees(request.claim.repository.name):
        raise NotFound("request not found", next="List requests with GET /requests.")
    _check_holder(request, answer, caller)
    with repository_lock(request.claim.repository.name, numbers=1) as locked:
        if locked.due:
            settle_due(locked)
        request = ReleaseRequest.objects.select_related("claim").get(id=request_id)
        operator = caller.operator_name
        if request.decision != Decision.PENDING:
            record(_late(locked, request, answer, operator))
            return Answered(request)
        made, detail = _carry_out(locked, request, answer, operator)
        record(_responded(locked, request, answer, operator, detail))
        return Answered(request, made)


def note_seen(requests: Sequence[ReleaseRequest], session_id: str) -> None:
    """Record once per request that the holder's session has seen it (``notified``)."""
    for request in requests:
        if request.notified_at is not None:
            continue
        with transaction.atomic():
            seen = ReleaseRequest.objects.filter(id=request.id, notified_at__isnull=True)
            if seen.update(notified_at=clock.now()):
                record(
                    NewEvent(
                        type=EventType.NOTIFIED,
                        repo=request.claim.repository.name,
                        actor_engineer=request.claim.engineer,
                        actor_session_id=session_id,
                        claim_id=request.claim_id,
                        request_id=request.id,
                    )
                )


def _carry_out(
    locked: Locked, request: ReleaseRequest, answer: Answer, operator: str | None
) -> tuple[list[str], dict[str, Any]]:
    """Do what the answer says; returns the claims made and the event's extra detail."""
    claim = request.claim
    if claim.released_at is not None:
        raise Invalid("The holder's claim is no longer active.", next="Nothing to answer: the scope is free.")
    prepared = answering.prepare(locked, request, answer.decision, answer)
    _decide(locked, request, answer)
    engineer = answer.engineer or (None if operator else claim.engineer)
    by = By(engineer=engineer, session_id=answer.session_id, operator=operator, reason=answer.note)
    if answer.decision == Decision.APPROVED:
        end_claims(locked, [claim.id], End.APPROVED, by)
        return [], {}
    if answer.decision == Decision.NARROWED:
        return answering.narrow(locked, request, prepared, by)
    restore(locked, claim)
    if answer.decision == Decision.COEXIST:
        return answering.coexist(locked, request, prepared)
    return [], {}


def restore(locked: Locked, claim: Claim) -> None:
    """Give the lease back what was cut, unless another request still stands. Emits ``lease_restored``."""
    still_asked = ReleaseRequest.objects.filter(claim_id=claim.id, decision=Decision.PENDING).exists()
    if claim.shortened_from is not None and not still_asked:
        claim.expires_at, claim.shortened_from = claim.shortened_from, None
        claim.save(update_fields=["expires_at", "shortened_from"])
        record(_lease(locked, claim, EventType.LEASE_RESTORED))


def _decide(locked: Locked, request: ReleaseRequest, answer: Answer) -> None:
    changes = {
        "decision": answer.decision,
        "decided_at": locked.now,
        "decided_by_engineer": answer.engineer,
        "decided_by_session_id": answer.session_id,
        "note": answer.note,
    }
    if ReleaseRequest.objects.filter(id=request.id, decision=Decision.PENDING).update(**changes) != 1:
        raise Conflict("The request was answered meanwhile.", next="Read it with GET /requests/{id}.")
    for name, value in changes.items():
        setattr(request, name, value)


def _check_askable(claim: Claim, ask: Ask) -> None:
    if claim.released_at is not None:
        raise Conflict(
            f"claim {claim.id} is no longer active (released_at={clock.iso(claim.released_at)},"
            f" expires_at={clock.iso(claim.expires_at)}); no need to file a request, retry your claim",
            next="Claim the scope again.",
        )
    if ask.party.is_same(claim.engineer, claim.session_id):
        raise Conflict("You hold this claim yourself.", next="Release it with DELETE /claims/{id}.")


def _open_request(claim: Claim, party: Party) -> ReleaseRequest | None:
    waiting = ReleaseRequest.objects.filter(claim=claim, decision=Decision.PENDING)
    return next((r for r in waiting if party.is_same(r.requester_engineer, r.requester_session_id)), None)


def _shorten(locked: Locked, claim: Claim, party: Party) -> None:
    end = locked.now + timedelta(seconds=settings.COORD.request_ttl_short_sec)
    if claim.shortened_from is not None or end >= claim.expires_at:
        return
    since = locked.now - timedelta(seconds=settings.COORD.request_cooldown_sec)
    denied = ReleaseRequest.objects.filter(claim=claim, decision=Decision.DENIED, decided_at__gt=since)
    if any(party.is_same(r.requester_engineer, r.requester_session_id) for r in denied):
        return
    claim.shortened_from, claim.expires_at = claim.expires_at, end
    claim.save(update_fields=["shortened_from", "expires_at"])
    record(_lease(locked, claim, EventType.LEASE_SHORTENED))


def _check_answer(answer: Answer) -> None:
    if answer.decision not in ANSWERS:
        raise Invalid(f"decision must be one of: {', '.join(ANSWERS)}; got '{answer.decision}'")
    if answer.decision == Decision.NARROWED and not answer.narrowed_pattern:
        raise Invalid("narrowed needs narrowed_pattern", next="Name the part that you keep.")
    if answer.decision == Decision.COEXIST and not (answer.coexist_pattern or answer.coexist_symbols):
        raise Invalid("coexist needs coexist_pattern", next="Name the part that the requester may work in.")


def _check_holder(request: ReleaseRequest, answer: Answer, caller: Caller) -> None:
    """The holder answers, or an operator; never the requester. Raises :class:`Forbidden`."""
    if caller.kind != "admin" and not _may_answer(request, answer, caller):
        raise Forbidden(
            f"Only the holder ({request.claim.engineer}) may answer this request.",
            next="Wait for the holder's answer with GET /requests/{id}?wait=25.",
        )


def _may_answer(request: ReleaseRequest, answer: Answer, caller: Caller) -> bool:
    """A token that proves no engineer is believed whom it names; naming nobody it is the operator's."""
    claim, personal = request.claim, caller.engineer is not None
    if caller.bound_engineer not in (None, claim.engineer):
        return False
    session = caller.session_id if personal and not caller.operator else answer.session_id
    engineer = answer.engineer or caller.engineer
    if session is not None and session == claim.session_id:
        return True
    if session is not None and session == request.requester_session_id:
        return False
    if engineer == claim.engineer:
        return True
    if not caller.operator or engineer == request.requester_engineer:
        return False
    return personal or (engineer is None and session is None)


def _filed(locked: Locked, claim: Claim, request: ReleaseRequest) -> NewEvent:
    return NewEvent(
        type=EventType.FILED,
        repo=locked.name,
        actor_engineer=request.requester_engineer,
        actor_session_id=request.requester_session_id,
        claim_id=claim.id,
        request_id=request.id,
        detail={
            "claim_id": claim.id,
            "pattern": claim.pattern,
            "requested_scope": request.requested_scope,
            "urgency": request.urgency,
            "reason": request.reason,
            "original_expires_at": clock.iso(request.original_expires_at),
            "shortened_expires_at": clock.iso(request.shortened_expires_at),
        },
    )


def _lease(locked: Locked, claim: Claim, kind: EventType) -> NewEvent:
    return NewEvent(
        type=kind,
        repo=locked.name,
        actor_engineer=claim.engineer,
        actor_session_id=claim.session_id,
        claim_id=claim.id,
        detail={
            "claim_id": claim.id,
            "pattern": claim.pattern,
            "expires_at": clock.iso(claim.expires_at),
            "was_until": clock.iso(claim.shortened_from),
        },
    )


def _responded(
    locked: Locked,
    request: ReleaseRequest,
    answer: Answer,
    operator: str | None,
    detail: Mapping[str, Any],
) -> NewEvent:
    return NewEvent(
        type=EventType.RESPONDED,
        repo=locked.name,
        actor_engineer=answer.engineer,
        actor_session_id=answer.session_id,
        operator=operator,
        claim_id=request.claim_id,
        request_id=request.id,
        detail={"decision": answer.decision, "note": answer.note, **detail},
    )


def _late(locked: Locked, request: ReleaseRequest, answer: Answer, operator: str | None) -> NewEvent:
    return NewEvent(
        type=EventType.RESPONDED_LATE,
        repo=locked.name,
        actor_engineer=answer.engineer,
        actor_session_id=answer.session_id,
        operator=operator,
        claim_id=request.claim_id,
        request_id=request.id,
        detail={
            "attempted_decision": answer.decision,
            "current_decision": request.decision,
            "note": answer.note,
        },
    )
