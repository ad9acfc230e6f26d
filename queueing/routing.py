"""The websocket paths."""

from __future__ import annotations

from typing import Any, cast

from django.urls import path

from queueing.consumers import EventsConsumer, QueueConsumer

websocket_urlpatterns: list[Any] = [
    path("ws/events", cast(Any, EventsConsumer.as_asgi())),
    path("ws/queue/<uuid:queue_id>", cast(Any, QueueConsumer.as_asgi())),
]
