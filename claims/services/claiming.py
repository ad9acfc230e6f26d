"""Claiming: ask for scopes, get all of them, a refusal that names each holder, or a place in line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings

from claims import line
from claims.locks import Locked, repository_lock
from claims.models import Claim
from claims.places import Line, Standing, remember
from claims.scopes import ClaimRequest, Item
from claims.selectors.listing import live, seen_by
from claims.services import draining
from claims.services.activity import note_life
from claims.services.ending import settle_due
from claims.services.granting import write_grant
from claims.verdicts import Conflict, Question, Verdict, judge
from claims.waits import Link, Waits
from common import clock, metrics
from common.caller import SYSTEM, Caller
from common.errors import TooMany
from ownership.rules import RuleSet
from ownership.selectors import rules_of
from ownership.services import Attempt, log_contention
from patterns import parse
from queueing import services as tickets
from queueing.models import Ticket
from queueing.selectors import left_by
from webhooks.services import record


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a refused request may stand in line, and for whom."""

    wait_seconds: float = 0
    hold_seconds: float = 0
    server: str = ""

    @property
    def wanted(self) -> bool:
        """Whether the caller wants a place at all."""
        return self.wait_seconds > 0 or self.hold_seconds > 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a claim request: granted (``claims``), refused (``conflicts``, ``behind``) or in line
    (``ticket``). ``cycle`` is set when waiting would be a deadlock.
    """

    repo: str
    now: datetime
    claims: Sequence[Claim] = ()
    conflicts: Sequence[Conflict] = ()
    behind: Sequence[line.Behind] = ()
    warnings: Sequence[str] = ()
    ticket: Ticket | None = None
    position: int = 0
    eta_s: int | None = None
    cycle: Sequence[Link] = field(default=())

    @property
    def granted(self) -> bool:
        """Whether everything asked for is held now."""
        return bool(self.claims)


NO_WAIT = Wait()


def claim_scopes(request: ClaimRequest, caller: Caller, wait: Wait = NO_WAIT) -> Outcome:
    """Grant the whole request, refuse it, or put it in line; one transaction under the repository's lock.

    Granted: claims with fences, ``claim_granted`` and partner events. Refused: one contention row per
    item and holder. In line: a ticket and ``queue_enqueue``. Raises :class:`TooMany` at a limit; then
    nothing is changed.
    """
    with repository_lock(request.repo, numbers=len(request.items)) as locked:
        rules = rules_of(*locked.revision)
        if locked.due:
            settle_due(locked)
        request = in_case_of(locked, request)
        if request.party.session_id:
            note_life([request.party.session_id], locked.now, caller)
        verdict = judge(question(locked, request, rules), request.items)
        in_line = line.in_line(locked)
        before = line.standing_before(locked, request, verdict, in_line)
        if verdict.conflicts or before:
            return _refuse(locked, request, verdict, before, in_line, caller, wait)
        check_limit(request, verdict, caller)
        passed = line.note_passed(request, in_line)
        outcome = grant(locked, request, verdict, rules)
        if locked.line and (left := _left_place(locked, request)):
            ids = [claim.id for claim in outcome.claims]
            tickets.grant(left, locked.now, {"claim_ids": ids, "new_until": {}}, ids[0])
        if passed:
            draining.drain(locked)  # being passed may have put a ticket first
        return outcome


def grant(locked: Locked, request: ClaimRequest, verdict: Verdict, rules: RuleSet) -> Outcome:
    """Write a grant and its events. The caller holds the lock and has seen no conflict."""
    written = write_grant(locked, request, verdict, rules)
    record(*written.events)
    return Outcome(request.repo, locked.now, claims=written.claims, warnings=written.warnings)


def question(locked: Locked, request: ClaimRequest, rules: RuleSet) -> Question:
    """The question that the verdict answers for this request, at the lock's moment."""
    return Question(
        locked.id,
        locked.now,
        request.party,
        case_insensitive=locked.case_insensitive,
        shared=rules.shared(locked.name, case_insensitive=locked.case_insensitive),
    )


def in_case_of(locked: Locked, request: ClaimRequest) -> ClaimRequest:
    """The request with its patterns read in the repository's case mode."""
    if not locked.case_insensitive:
        return request
    return replace(request, items=tuple(_folded(item) for item in request.items))


def _folded(item: Item) -> Item:
    return replace(item, pattern=parse(item.sent, case_insensitive=True))


def _refuse(
    locked: Locked,
    request: ClaimRequest,
    verdict: Verdict,
    before: Sequence[tuple[int, Standing]],
    in_line: Line,
    caller: Caller,
    wait: Wait,
) -> Outcome:
    metrics.claims_conflicts(len(verdict.conflicts))
    behind = line.named(request, before)
    outcome = Outcome(request.repo, locked.now, conflicts=verdict.conflicts, behind=behind)
    if not wait.wanted:
        _log(request, verdict, draining.new_uid())
        return outcome
    cycle = line.closing_cycle(locked, request, verdict, before, in_line)
    if cycle:
        _log(request, verdict, draining.new_uid())
        seen = [link.seen_by(caller, request.party) for link in cycle]
        return replace(outcome, cycle=seen)
    awaited = bool(in_line) and bool(Waits(request.party, locked.now, known=in_line))
    ticket = _park(locked, request, caller, wait)
    _log(request, verdict, ticket.id, "waited")
    ahead = line.ahead_of(ticket, request, locked.now, in_line)
    eta_s = line.seconds_until_free(verdict, locked.now)
    outcome = replace(outcome, ticket=ticket, position=len(ahead) + 1, eta_s=eta_s)
    if awaited:
        draining.drain(locked)  # whoever this party waits for may now pass those that wait for it
    return outcome


def _left_place(locked: Locked, request: ClaimRequest) -> Ticket | None:
    """The party's place for this request whose serving process stopped."""
    party = request.party
    return left_by(locked.name, party.engineer, party.session_id, request.to_json(), locked.now)


def _park(locked: Locked, request: ClaimRequest, caller: Caller, wait: Wait) -> Ticket:
    left = _left_place(locked, request) if locked.line else None
    if left is not None and tickets.take_up(
        left,
        now=locked.now,
        caller=caller.name,
        wait_seconds=wait.wait_seconds,
        hold_seconds=wait.hold_seconds,
        server=wait.server,
    ):
        return left
    try:
        ticket = tickets.enqueue(
            repo=locked.name,
            place=locked.next_number(),
            engineer=request.party.engineer,
            session_id=request.party.session_id,
            caller=caller.name,
            urgency=request.urgency,
            request=request.to_json(),
            now=locked.now,
            wait_seconds=wait.wait_seconds,
            hold_seconds=wait.hold_seconds,
            server=wait.server,
        )
    except tickets.LineFull as full:
        raise TooMany(
            f"The {full.whose} has {full.limit} waiting tickets, which is the limit.",
            retry_after_s=60,
            next="Wait for one of your tickets to end, or cancel one with DELETE /requests/{queue_id}.",
        ) from full
    remember(ticket, request, case_insensitive=locked.case_insensitive)
    return ticket


def _log(request: ClaimRequest, verdict: Verdict, request_uid: str, resolution: str = "") -> None:
    if verdict.conflicts:
        log_contention(
            [
                Attempt(
                    request_uid=request_uid,
                    repo=request.repo,
                    pattern=conflict.item.pattern.text,
                    attempted_by=request.party.engineer,
                    attempted_session_id=request.party.session_id,
                    claim_id=conflict.holder.id,
                    holder_engineer=conflict.holder.engineer,
                    holder_pattern=conflict.holder.pattern,
                    resolution=resolution,
                )
                for conflict in verdict.conflicts
            ]
        )


def check_limit(request: ClaimRequest, verdict: Verdict, caller: Caller = SYSTEM) -> None:
    """Raise :class:`TooMany` when the request would give its engineer more live claims than are allowed.

    Counted in the caller's repositories.
    """
    limit = settings.COORD.max_claims_per_engineer
    if not limit:
        return
    wanted = len(request.items) - len(verdict.held)
    held = seen_by(caller, Claim.objects.filter(live(clock.now()), engineer=request.party.engineer)).count()
    if wanted and held + wanted > limit:
        raise TooMany(
            f"'{request.party.engineer}' holds {held} claims; {wanted} more would pass the limit of {limit}.",
            retry_after_s=60,
            next="Release claims that are done.",
        )
