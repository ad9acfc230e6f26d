"""``POST /claims``: claim, be refused, or wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from claims import answers, parking
from claims.api import outputs
from claims.api.access import ClaimsView, party_of, repo_of
from claims.api.headers import retry_after
from claims.api.serializers import ClaimIn
from claims.idempotency import Answer, Call, abandon, answer_once, finish
from claims.preparing import Prepared, prepare
from claims.scopes import ClaimRequest
from claims.services.claiming import Outcome, Wait, claim_scopes
from claims.services.upkeep import server_name
from claims.services.waiting import Look, present_refusal
from common import clock
from common.api import Parked
from queueing.models import IN_LINE


class ClaimView(ClaimsView):
    """Claim scopes, all or none."""

    @extend_schema(
        operation_id="claim",
        request=ClaimIn,
        responses={
            200: outputs.ClaimOut,
            202: outputs.InLineOut,
            400: outputs.RefusalOut,
            409: outputs.RefusalOut,
        },
    )
    def post(self, request: Request) -> Response:
        """Grant everything asked for, refuse it, or put it in line (``wait_seconds``)."""
        data = self.body(ClaimIn)
        call = self.call()
        wait = Wait(data["wait_seconds"] or 0, data["hold_place_seconds"] or 0, server=server_name())
        wanted = ClaimRequest(
            repo=repo_of(self.caller, data["repo"]),
            party=party_of(self.caller, data["engineer"], data["session_id"]),
            items=(),
            branch=data["branch"],
            description=data["description"],
            ttl_hours=data["ttl_hours"] or None,
            urgency=data["urgency"] if data["urgency"] in URGENCIES else "normal",
        )
        prepared = prepare(wanted, data["claims"])
        answer = answer_once(call, lambda: self._claim(prepared, wait))
        if answer.queue_id is None or not wait.wait_seconds:
            return respond(answer)
        return Parked(lambda: _wait(call, answer, prepared, wait))

    def _claim(self, prepared: Prepared, wait: Wait) -> Answer:
        outcome = claim_scopes(prepared.request, self.caller, wait)
        if outcome.granted:
            return Answer(200, answers.claim_answer(outcome, prepared.warnings()))
        if outcome.ticket is None:
            return Answer(409, {**answers.claim_answer(outcome), **answers.refusal_fields(outcome)})
        if wait.wait_seconds:
            return Answer(202, None, queue_id=outcome.ticket.id)
        return Answer(202, answers.in_line_answer(outcome), queue_id=None)


URGENCIES = ("low", "normal", "high", "blocking")


async def _wait(call: Call, parked: Answer, prepared: Prepared, wait: Wait) -> Response:
    queue_id = parked.queue_id or ""

    def answer(look: Look) -> Answer:
        return finish(call, answer_look(look, prepared.warnings))

    return respond(
        await parking.wait_for_grant(
            queue_id,
            prepared.request.repo,
            wait.wait_seconds,
            answer,
            abandon=None if wait.hold_seconds else lambda: abandon(call, queue_id),
        )
    )


def answer_look(look: Look, warnings: Callable[[], Sequence[str]] = list) -> Answer:
    """What a waiter is told: the grant, its place in line, or why it ended and who holds now."""
    if look.outcome is not None and look.outcome.granted:
        return Answer(200, answers.claim_answer(look.outcome, warnings()))
    outcome = present_refusal(look.ticket, clock.now())
    if look.state in IN_LINE:
        return Answer(202, answers.in_line_answer(outcome))
    return Answer(409, ended_body(outcome, look.reason))


def ended_body(outcome: Outcome, reason: str) -> dict[str, Any]:
    """The body of a 409 after waiting."""
    return {**answers.claim_answer(outcome), **answers.refusal_fields(outcome, reason=reason)}


def respond(answer: Answer) -> Response:
    """The response of an answer, with its ``Retry-After``."""
    return Response(answer.body, status=answer.status, headers=retry_after(answer.body))
