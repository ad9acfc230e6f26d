"""Retries: a mutating call that carries an idempotency key is answered once and replayed after that.

The answer is stored in the transaction of the change, so a crash loses both or neither. Refusals that may
turn out otherwise next time (409, 429, 503) are not stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from claims import answers
from claims.models import StoredAnswer
from claims.services import waiting
from common import clock
from common.caller import Caller
from common.errors import Conflict, CoordError, ErrorCode, Invalid
from queueing.models import IN_LINE, LEFT, Ticket

KEPT_FOR = timedelta(hours=24)
MOST_KEY = 200
PARKED = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body. ``queue_id`` is set when the caller goes on to wait for that ticket."""

    status: int
    body: Any
    queue_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What a key stands for: the same caller, method, path and body."""

    caller: Caller
    key: str | None
    method: str
    path: str
    body: bytes

    @property
    def fingerprint(self) -> str:
        """The hash of everything that must be equal in a retry."""
        text = b"\0".join((self.method.encode(), self.path.encode(), self.body))
        return hashlib.sha256(text).hexdigest()

    @property
    def owner(self) -> str:
        """Whose keys these are. Tokens of one engineer share them, unless they see different repositories."""
        name = f"{self.caller.kind}:{self.caller.name}"
        if self.caller.repositories is not None:
            name += f"@{','.join(sorted(self.caller.repositories))}"
        return name if len(name) <= MOST_KEY else hashlib.sha256(name.encode()).hexdigest()


def answer_once(call: Call, act: Callable[[], Answer]) -> Answer:
    """Run ``act`` and store its answer, or replay the stored one. Without a key just run it.

    Raises 422 ``idempotency_mismatch`` when the key was used for another request, 409 ``in_flight``
    while the first call still waits in line.
    """
    if not call.key:
        return act()
    if len(call.key) > MOST_KEY:
        raise Invalid(f"Idempotency-Key has {len(call.key)} characters; {MOST_KEY} are allowed.")
    try:
        return _answer(call, act)
    except IntegrityError:
        stored = _stored(call)
        if stored is None:
            raise
        return _replay(call, stored) or _answer(call, act)


def finish(call: Call, answer: Answer) -> Answer:
    """Store the answer of a call that waited in line; a refusal frees the key."""
    if call.key:
        mine = StoredAnswer.objects.filter(caller=call.owner, key=call.key, status=PARKED)
        if answer.status < 300:
            mine.update(status=answer.status, body=answer.body)
        else:
            mine.delete()
    return answer


def abandon(call: Call, queue_id: str) -> None:
    """The caller left while it waited: give back what it got and was never told of.

    Unless a retry with its key was told meanwhile; else a later retry is a new call.
    """
    with waiting.line_of(queue_id):
        if call.key:
            mine = StoredAnswer.objects.filter(caller=call.owner, key=call.key, request_hash=call.fingerprint)
            forgotten, _ = mine.filter(replayed_at=None).delete()
            if not forgotten and mine.exists():
                return
        waiting.abandon(queue_id)


def forget_old() -> int:
    """Delete answers older than a day; returns how many."""
    deleted, _ = StoredAnswer.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
    return deleted


def _answer(call: Call, act: Callable[[], Answer]) -> Answer:
    with transaction.atomic():
        stored = _stored(call)
        replayed = _replay(call, stored) if stored is not None else None
        if replayed is not None:
            return replayed
        answer = act()
        if answer.status < 300:
            parked = answer.queue_id is not None
            StoredAnswer.objects.create(
                caller=call.owner,
                key=call.key or "",
                request_hash=call.fingerprint,
                status=PARKED if parked else answer.status,
                body={"queue_id": answer.queue_id} if parked else answer.body,
                created_at=clock.now(),
            )
        return answer


def _stored(call: Call) -> StoredAnswer | None:
    return StoredAnswer.objects.filter(caller=call.owner, key=call.key).first()


def _replay(call: Call, stored: StoredAnswer) -> Answer | None:
    """The stored answer; ``None`` when the first call ended without one."""
    if stored.request_hash != call.fingerprint:
        raise CoordError(
            "This Idempotency-Key was used for another request.",
            status=422,
            code=ErrorCode.IDEMPOTENCY_MISMATCH,
            next="Use a fresh key for a new request.",
        )
    if stored.status != PARKED:
        return _told(stored, Answer(stored.status, stored.body))
    ticket = Ticket.objects.filter(id=(stored.body or {}).get("queue_id")).first()
    served = ticket is not None and ticket.server != LEFT and ticket.alive_until > clock.now()
    if ticket is not None and ticket.state in IN_LINE and served:
        raise Conflict(
            "The first call with this Idempotency-Key still waits.",
            code=ErrorCode.IN_FLIGHT,
            retryable=True,
            retry_after_s=2,
            next="Retry with the same key.",
        )
    if ticket is not None and ticket.state == Ticket.State.GRANTED:
        outcome = waiting.look(ticket.id).outcome
        if outcome is not None:
            return _told(stored, Answer(200, answers.claim_answer(outcome)))
    stored.delete()
    return None


def _told(stored: StoredAnswer, answer: Answer) -> Answer | None:
    """The answer, marked as known to a caller; ``None`` when it was taken back at this moment."""
    kept = StoredAnswer.objects.filter(pk=stored.pk).update(
        status=answer.status, body=answer.body, replayed_at=clock.now()
    )
    return answer if kept else None
