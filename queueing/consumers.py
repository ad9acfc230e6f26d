"""Websockets: the event log as it grows, and one ticket as it moves."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from common.api import InvalidRequest, lane, read_query
from common.caller import Caller
from common.clock import iso
from common.errors import CoordError, ErrorCode, Invalid, NotFound
from common.joint import joint
from common.wakeups import EVENTS, FALLBACK_S, listening
from queueing.describing import described
from queueing.models import IN_LINE, Ticket
from queueing.sockets import SUBPROTOCOL, caller_of, is_allowed_host
from webhooks import selectors
from webhooks.api import presenters
from webhooks.api.serializers import FollowIn

log = logging.getLogger("coord.websockets")

PAGE = 100
BREATH_S = 0.05
"""The pause after a full page. The server keeps what a client does not read, until it notices that the client
is stuck: a far look back must not fill its memory, nor hold up other calls.
"""
RECHECK_S = 30.0
"""How often the right to listen is proved again, in seconds."""
MOST_SOCKETS = 2000
CLOSE_CODES = {400: 4400, 403: 4403, 404: 4404, 410: 4410}
UNAUTHENTICATED, BUSY, FAILED = 4401, 1013, 1011


class Unproved(CoordError):
    """The token or session is no longer good."""

    status = 401
    code = ErrorCode.UNAUTHENTICATED


class Watch(AsyncWebsocketConsumer):
    """A socket that only tells. Refusals are a JSON message with the usual fields, then a close code 44xx.

    A caller that proves nothing is refused before the handshake (HTTP 403). What the client sends is ignored.
    """

    permission = ""
    open_sockets = 0

    async def connect(self) -> None:
        """Authenticate, accept, tell."""
        self.caller = await self._proved()
        if self.caller is None:
            await self.close(UNAUTHENTICATED)
            return
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in self.scope.get("subprotocols", ()) else None)
        if Watch.open_sockets >= MOST_SOCKETS:
            await self.close(BUSY)
            return
        Watch.open_sockets += 1
        self.telling = asyncio.create_task(self._tell())

    async def disconnect(self, code: int) -> None:
        """Stop telling."""
        telling: asyncio.Task[None] | None = getattr(self, "telling", None)
        if telling is not None:
            Watch.open_sockets -= 1
            telling.cancel()
            await asyncio.wait([telling])

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is expected."""

    async def tell(self) -> None:
        """Send until there is nothing more to come; raise a :class:`CoordError` to refuse."""
        raise NotImplementedError

    async def say(self, kind: str, **content: Any) -> None:
        """Send one JSON message."""
        await self.send(text_data=_message(kind, **content))

    def find_caller(self) -> Caller | None:
        """Who opened the socket, if they may listen. Reads the database."""
        return caller_of(self.scope, self.permission)

    async def prove_again(self) -> None:
        """Now and then: a revoked token or a closed account ends the socket."""
        now = asyncio.get_running_loop().time()
        if now >= self._proved_until and await self._proved() is None:
            raise Unproved("The token or session is no longer valid", next="connect with a valid one")

    async def _proved(self) -> Caller | None:
        self._proved_until = asyncio.get_running_loop().time() + RECHECK_S
        return await lane(self.find_caller) if is_allowed_host(self.scope) else None

    async def _tell(self) -> None:
        code = 1000
        try:
            await self.tell()
        except CoordError as refusal:
            code = CLOSE_CODES.get(refusal.status, UNAUTHENTICATED)
            await self.say("error", detail=refusal.detail, code=str(refusal.code), next=refusal.next)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a websocket failed")
            code = FAILED
        await self.close(code)


class EventsConsumer(Watch):
    """``ws/events?repo=&type=&after=``: events as they commit, from ``after`` on (``latest`` when absent).

    First ``{"type": "ready", "after": n}``, then ``{"type": "event", "event": {…}}`` as in ``GET /events``.
    """

    permission = "webhooks.view_event"

    async def tell(self) -> None:
        """Follow the log."""
        query = _asked(self.scope["query_string"])
        caller = self.caller
        if caller is None:
            raise Unproved("No caller")
        repo = selectors.visible(caller, query.get("repo"))

        types = query.get("type")
        asked = ("told", repo, types and frozenset(types), caller.sight)

        def read(after: int | None) -> tuple[list[str], int]:
            page = selectors.events_after(
                after, repo=repo, types=types, repositories=caller.repositories, limit=PAGE
            )
            told = [_message("event", event=presenters.event(event, caller)) for event in page.events]
            return told, page.next_after

        async with listening(EVENTS if repo is None else f"repo:{repo}") as bell:
            seq = await lane(selectors.position, query.get("after", "latest"))
            await self.say("ready", after=seq)
            while True:
                told, seq = await joint((*asked, seq), partial(read, seq))
                for message in told:
                    await self.send(text_data=message)
                if len(told) < PAGE:
                    await bell.wait(FALLBACK_S)
                else:
                    await asyncio.sleep(BREATH_S)
                await self.prove_again()


class QueueConsumer(Watch):
    """``ws/queue/{queue_id}``: a ticket now and at each change, until it has left the line.

    ``{"type": "ticket", "ticket": {…}, "offer_until": …}`` as in ``GET /requests?queued=true``. Watching
    neither keeps the place nor picks an offer up: the waiter does, with ``GET /requests/queue/{queue_id}``.
    """

    permission = "queueing.view_ticket"

    async def tell(self) -> None:
        """Follow the ticket."""
        queue_id = str(self.scope["url_route"]["kwargs"]["queue_id"])
        ticket = await lane(self._ticket, queue_id)
        last: dict[str, Any] = {}
        async with listening(f"ticket:{queue_id}", f"repo:{ticket.repo}") as bell:
            while True:
                ticket = await lane(self._ticket, queue_id)
                shown = await lane(described, ticket)
                # The estimate runs down by itself; only what changes otherwise is worth a message.
                news = {**shown, "eta_s": None, "offer_until": iso(ticket.offer_until)}
                if news != last:
                    await self.say("ticket", ticket=shown, offer_until=iso(ticket.offer_until))
                    last = news
                if ticket.state not in IN_LINE:
                    return
                await bell.wait(FALLBACK_S)
                await self.prove_again()

    def _ticket(self, queue_id: str) -> Ticket:
        ticket = Ticket.objects.filter(pk=queue_id).first()
        if ticket is None or self.caller is None or not self.caller.sees(ticket.repo):
            raise NotFound("No ticket has this queue id", next="list them: GET /requests?queued=true")
        return ticket


class NoSuchSocket(Watch):
    """Any other path: says which there are."""

    async def tell(self) -> None:
        """Refuse."""
        raise NotFound(
            f"No websocket has the path {self.scope['path']}",
            next="connect to /ws/events or /ws/queue/{queue_id}",
        )


def _message(kind: str, **content: Any) -> str:
    return json.dumps({"type": kind, **content})


def _asked(query: bytes) -> dict[str, Any]:
    try:
        return read_query(FollowIn, QueryDict(query))
    except InvalidRequest as refused:
        problem = refused.problems[0]
        raise Invalid(f"{problem['loc'][1]}: {problem['msg']}", next="correct it and connect again") from None
    except SuspiciousOperation:
        raise Invalid("The query has too many parameters", next="send repo, type and after") from None
