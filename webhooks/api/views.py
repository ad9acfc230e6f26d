"""``/events`` and ``/webhooks/…``."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import ApiView, Parked
from common.caller import Caller
from common.errors import Forbidden
from common.joint import joint
from common.wakeups import EVENTS, FALLBACK_S, listening
from webhooks import selectors, services
from webhooks.api import presenters, serializers
from webhooks.selectors import EventPage


def _events(page: EventPage, caller: Caller) -> Response:
    rows = [presenters.event(row, caller) for row in page.events]
    return Response({"events": rows, "next_after": page.next_after})


class EventsView(ApiView):
    """The event log."""

    @extend_schema(
        operation_id="list_events",
        summary="Read the event log, or wait for what comes next",
        parameters=[serializers.EventsIn],
        responses=serializers.EventsOut,
        tags=["events"],
    )
    def get(self, request: Request) -> Response:
        """Events in sequence; with ``wait`` the call is parked until one comes."""
        query = self.query(serializers.EventsIn)
        repo = selectors.visible(self.caller, query.get("repo"))
        read = partial(
            selectors.events_after,
            repo=repo,
            types=query.get("type"),
            repositories=self.caller.repositories,
            limit=query["limit"],
        )
        page = read(selectors.position(query.get("after")))
        if page.events or not query["wait"]:
            return _events(page, self.caller)
        topic = EVENTS if repo is None else f"repo:{repo}"
        types = query.get("type")
        asked = (page.next_after, repo, types and frozenset(types), self.caller.repositories, query["limit"])

        async def resume() -> Response:
            end = asyncio.get_running_loop().time() + query["wait"]
            async with listening(topic) as bell:
                while True:
                    found = await joint(("page", *asked), partial(read, page.next_after))
                    left = end - asyncio.get_running_loop().time()
                    if found.events or left <= 0:
                        return _events(found, self.caller)
                    await bell.wait(min(left, FALLBACK_S))

        return Parked(resume)


def _operator(caller: Caller) -> Caller:
    """The caller, who may see every repository's events and the receivers' settings; else ``Forbidden``."""
    if not caller.operator or caller.repositories is not None:
        raise Forbidden(
            "Only an operator without repository limits may manage webhooks", next="use an operator's token"
        )
    return caller


class EndpointsView(ApiView):
    """The receivers."""

    @extend_schema(
        operation_id="list_endpoints",
        summary="List the webhook receivers",
        responses=serializers.EndpointsOut,
        tags=["webhooks"],
    )
    def get(self, request: Request) -> Response:
        """All receivers, oldest first."""
        _operator(self.caller)
        return Response({"endpoints": [presenters.endpoint(row) for row in selectors.endpoints()]})

    @extend_schema(
        operation_id="create_endpoint",
        summary="Add a webhook receiver; its secret is shown this once",
        request=serializers.EndpointIn,
        responses={201: serializers.EndpointSecretOut},
        tags=["webhooks"],
    )
    def post(self, request: Request) -> Response:
        """Make a receiver."""
        caller = _operator(self.caller)
        row = services.create_endpoint(caller=caller, **self.body(serializers.EndpointIn))
        return Response({**presenters.endpoint(row), "secret": row.secret}, status=201)


class EndpointView(ApiView):
    """One receiver."""

    @extend_schema(
        operation_id="get_endpoint",
        summary="Show a webhook receiver",
        responses=serializers.EndpointOut,
        tags=["webhooks"],
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """The receiver."""
        _operator(self.caller)
        return Response(presenters.endpoint(selectors.endpoint(endpoint_id)))

    @extend_schema(
        operation_id="edit_endpoint",
        summary="Change a webhook receiver",
        request=serializers.EndpointEdit,
        responses=serializers.EndpointOut,
        tags=["webhooks"],
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change what the body names."""
        caller = _operator(self.caller)
        changes = self.body(serializers.EndpointEdit)
        row = services.edit_endpoint(caller=caller, endpoint_id=endpoint_id, **changes)
        return Response(presenters.endpoint(row))

    @extend_schema(
        operation_id="delete_endpoint",
        summary="Remove a webhook receiver with its outbox",
        responses={204: None},
        tags=["webhooks"],
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Remove it."""
        services.delete_endpoint(caller=_operator(self.caller), endpoint_id=endpoint_id)
        return Response(status=204)


class EndpointTestView(ApiView):
    """The test button."""

    @extend_schema(
        operation_id="test_endpoint",
        summary="Send a test event to a receiver, now and once",
        request=None,
        responses={202: serializers.DeliveryOut},
        tags=["webhooks"],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Queue the test; its delivery tells the result."""
        row = services.send_test_event(caller=_operator(self.caller), endpoint_id=endpoint_id)
        return Response(presenters.delivery(row), status=202)


class RotateView(ApiView):
    """Secret rotation."""

    @extend_schema(
        operation_id="rotate_endpoint_secret",
        summary="Give a receiver a new secret, shown this once; the old one signs too for a while",
        request=serializers.RotateIn,
        responses=serializers.EndpointSecretOut,
        tags=["webhooks"],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Rotate."""
        caller = _operator(self.caller)
        body = self.body(serializers.RotateIn)
        row = services.rotate_secret(caller=caller, endpoint_id=endpoint_id, **body)
        return Response({**presenters.endpoint(row), "secret": row.secret})


class ReplayView(ApiView):
    """Replay."""

    @extend_schema(
        operation_id="replay_events",
        summary="Send a receiver again what happened from a sequence number on",
        request=serializers.ReplayIn,
        responses={202: serializers.ReplayOut},
        tags=["webhooks"],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Queue up to 1000 deliveries."""
        caller = _operator(self.caller)
        body = self.body(serializers.ReplayIn)
        queued, going_on = services.replay_events(caller=caller, endpoint_id=endpoint_id, **body)
        return Response({"queued": queued, "next_from_seq": going_on}, status=202)


class DeliveriesView(ApiView):
    """The outbox."""

    @extend_schema(
        operation_id="list_deliveries",
        summary="List deliveries, newest event first",
        parameters=[serializers.DeliveriesIn],
        responses=serializers.DeliveriesOut,
        tags=["webhooks"],
    )
    def get(self, request: Request) -> Response:
        """A page of deliveries."""
        _operator(self.caller)
        query: dict[str, Any] = self.query(serializers.DeliveriesIn)
        rows = selectors.deliveries(
            endpoint_id=query.get("endpoint"),
            status=query.get("status"),
            event_type=query.get("event_type"),
            before=query.get("cursor"),
            limit=query["limit"],
        )
        last = rows[-1] if len(rows) == query["limit"] else None
        cursor = f"{last.event_id}.{last.id}" if last else None
        return Response({"deliveries": [presenters.delivery(row) for row in rows], "next_cursor": cursor})


class DeliveryView(ApiView):
    """One delivery."""

    @extend_schema(
        operation_id="get_delivery",
        summary="Show a delivery",
        responses=serializers.DeliveryOut,
        tags=["webhooks"],
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """The delivery."""
        _operator(self.caller)
        return Response(presenters.delivery(selectors.delivery(delivery_id)))
