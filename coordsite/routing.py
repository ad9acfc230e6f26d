"""The site's own websocket paths."""

from __future__ import annotations

from typing import Any, cast

from django.urls import path

from coordsite.dashboard.consumers import DashboardConsumer

websocket_urlpatterns: list[Any] = [path("ws/dashboard", cast(Any, DashboardConsumer.as_asgi()))]
