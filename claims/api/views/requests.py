"""Release requests and tickets."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from claims import answers, parking
from claims.api import outputs
from claims.api.access import (
    ClaimsView,
    access_request,
    known_session,
    named_engineer,
    party_of,
    repo_filter,
    session_or_none,
)
from claims.api.serializers import EngineerIn, RequestIn, RequestListIn, RespondIn, WaitIn
from claims.api.views.claiming import answer_look, respond
from claims.idempotency import Answer, answer_once
from claims.models import ReleaseRequest
from claims.selectors.due import claim_ends
from claims.selectors.inbox import TicketFilter, list_requests, list_tickets
from claims.services import ending, waiting
from claims.services import requests as services
from claims.services.activity import note_life
from claims.services.requests import Ask
from common import clock
from common.api import Parked, lane
from common.caller import Caller
from common.errors import Forbidden, NotFound
from common.wakeups import FALLBACK_S, listening
from queueing.models import Ticket
from webhooks.api.presenters import shown_detail
from webhooks.models import Event
from webhooks.selectors import events_of_request


class RequestCollection(ClaimsView):
    """``/requests``."""

    @extend_schema(operation_id="file_request", request=RequestIn, responses=outputs.RequestOut)
    def post(self, request: Request) -> Response:
        """Ask a holder to give a claim up, and wait ``wait_seconds`` for the answer."""
        data = self.body(RequestIn)
        ask = Ask(
            claim_id=data["claim_id"],
            party=party_of(self.caller, data["requester"], data["session_id"]),
            reason=data["reason"],
            urgency=data["urgency"] or "normal",
            requested_scope=data["requested_scope"],
        )

        if ask.party.session_id:
            note_life([ask.party.session_id], clock.now(), self.caller)
        reader = known_session(self.caller, ask.party.session_id)

        def act() -> Answer:
            return Answer(200, answers.request_row(services.file_request(ask, self.caller), reader))

        answer = answer_once(self.call(), act)
        if not data["wait_seconds"] or answer.body["decision"] != "pending":
            return respond(answer)
        return Parked(lambda: _wait_for_answer(answer.body["id"], reader, data["wait_seconds"]))

    @extend_schema(operation_id="list_requests", parameters=[RequestListIn], responses=outputs.RequestListOut)
    def get(self, request: Request) -> Response:
        """Release requests, or with ``queued=true`` tickets; newest first."""
        data = self.query(RequestListIn)
        repo = repo_filter(self.caller, data["repo"])
        if data["queued"]:
            wanted = TicketFilter(
                requester=data["requester"] or None,
                session_id=data["session_id"] or None,
                repo=repo,
                state=data["state"],
            )
            entries = list_tickets(wanted, self.caller)
            return Response({"requests": entries, "count": len(entries), "queued": True})
        rows = list_requests(
            known_session(self.caller, session_or_none(data["session_id"])),
            requester=data["requester"],
            claim_id=data["claim_id"],
            decision=data["decision"],
            repo=repo,
            session_id=data["session_id"],
        )
        return Response({"requests": rows, "count": len(rows)})


class RequestDetail(ClaimsView):
    """``/requests/{request_id}``."""

    @extend_schema(operation_id="get_request", parameters=[WaitIn], responses=outputs.RequestOut)
    def get(self, request: Request, request_id: str) -> Response:
        """One release request; with ``wait``, as soon as it is decided."""
        seconds = self.query(WaitIn)["wait"]
        row = answers.request_row(access_request(self.caller, request_id), self.caller)
        if row["decision"] != "pending" or not seconds:
            return Response(row)
        return Parked(lambda: _wait_for_answer(request_id, self.caller, seconds))

    @extend_schema(
        operation_id="cancel_ticket",
        parameters=[OpenApiParameter("engineer", str)],
        responses={200: outputs.CancelledOut},
    )
    def delete(self, request: Request, request_id: str) -> Response:
        """Give a place in line up; the id is the ticket's."""
        engineer = named_engineer(self.caller, self.query(EngineerIn)["engineer"])
        ticket = Ticket.objects.filter(id=request_id).first()
        mine = (
            ticket is not None
            and self.caller.sees(ticket.repo)
            and (not engineer or engineer == ticket.engineer)
            and waiting.check_owner(ticket, self.caller)
        )
        cancelled = mine and waiting.cancel(request_id, reason="cancelled")
        return Response({"ok": True, "cancelled": cancelled, "queue_id": request_id})


class RequestEvents(ClaimsView):
    """``/requests/{request_id}/events``."""

    @extend_schema(operation_id="request_events", responses=outputs.RequestEventsOut)
    def get(self, request: Request, request_id: str) -> Response:
        """What happened to a request, oldest first."""
        rows = [_event_row(event, self.caller) for event in self._events(request_id)]
        return Response({"events": rows, "count": len(rows)})

    def _events(self, request_id: str) -> list[Event]:
        try:
            known = UUID(request_id)
        except ValueError:
            return []
        return events_of_request(known, repositories=self.caller.repositories)


class Respond(ClaimsView):
    """``/requests/{request_id}/respond``."""

    @extend_schema(operation_id="respond", request=RespondIn, responses=outputs.AnsweredOut)
    def post(self, request: Request, request_id: str) -> Response:
        """The holder's answer: approved, denied, narrowed or coexist."""
        data = self.body(RespondIn)
        answer = services.Answer(
            decision=data["decision"],
            engineer=named_engineer(self.caller, data["engineer"]) or self.caller.engineer,
            session_id=session_or_none(data["session_id"]) or self.caller.session_id,
            note=data["note"],
            narrowed_pattern=data["narrowed_pattern"] or None,
            coexist_pattern=data["coexist_pattern"] or None,
            coexist_symbols=data["coexist_symbols"] or None,
        )

        if answer.session_id:
            note_life([answer.session_id], clock.now(), self.caller)

        def act() -> Answer:
            answered = services.respond(request_id, answer, self.caller)
            row = answers.request_row(answered.request, known_session(self.caller, answer.session_id))
            return Answer(200, {**row, "claim_ids": answered.claim_ids})

        return respond(answer_once(self.call(), act))


class QueueDetail(ClaimsView):
    """``/requests/queue/{queue_id}``. Waiting picks the grant up, so it is no mere reading."""

    reads = frozenset()

    @extend_schema(
        operation_id="wait_in_line",
        parameters=[WaitIn],
        responses={200: outputs.ClaimOut, 202: outputs.InLineOut, 409: outputs.RefusalOut},
    )
    def get(self, request: Request, queue_id: str) -> Response:
        """Go on waiting in line and pick up the grant."""
        seconds = self.query(WaitIn)["wait"]
        ticket = Ticket.objects.filter(id=queue_id).first()
        if ticket is None or not self.caller.sees(ticket.repo):
            raise NotFound("No ticket has this queue id.", next="Claim again with wait_seconds.")
        if not waiting.check_owner(ticket, self.caller):
            raise Forbidden("This place in line is somebody else's.", next="Claim for yourself.")
        if ticket.session_id:
            note_life([ticket.session_id], clock.now())
        look = waiting.look(queue_id)
        if look.state not in ("waiting", "offered") or not seconds:
            return respond(answer_look(look))
        return Parked(lambda: _wait_in_line(ticket, seconds))


async def _wait_in_line(ticket: Ticket, seconds: float) -> Response:
    return respond(await parking.wait_for_grant(ticket.id, ticket.repo, seconds, answer_look))


async def _wait_for_answer(request_id: str, reader: Caller, seconds: float) -> Response:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with listening(f"request:{request_id}") as bell:
        while True:
            body, due = await lane(_look_at_request, request_id, reader)
            left = end - loop.time()
            if body["decision"] != "pending" or left <= 0:
                return Response(body)
            await bell.wait(max(0.02, min(left, FALLBACK_S, due)))


def _look_at_request(request_id: str, reader: Caller) -> tuple[dict[str, Any], float]:
    """The request now, with its claim's end carried out when it is due, and the seconds until it is."""
    request = ReleaseRequest.objects.select_related("claim__repository").get(id=request_id)
    due = (claim_ends(request.claim) - clock.now()).total_seconds()
    if request.decision == "pending" and due <= 0:
        ending.settle(request.claim.repository.name)
        request.refresh_from_db()
    return answers.request_row(request, reader), due


def _event_row(event: Event, caller: Caller) -> dict[str, Any]:
    return {
        "id": str(event.uid),
        "request_id": str(event.request_id) if event.request_id else None,
        "event_type": event.event_type,
        "actor_engineer": event.actor_engineer,
        "actor_session_id": caller.shown(event.actor_session_id),
        "detail": json.dumps(shown_detail(event.detail, caller)) if event.detail else None,
        "created_at": clock.iso(event.created_at),
    }
