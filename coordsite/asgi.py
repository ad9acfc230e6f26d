"""The ASGI application: HTTP through the lanes, websockets through Channels."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import django
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
django.setup()

from coordsite.lanes import http_application  # noqa: E402  (needs the app registry)
from coordsite.lifespan import lifespan  # noqa: E402
from queueing.consumers import NoSuchSocket  # noqa: E402

ROUTING = ("queueing.routing", "coordsite.routing")
"""Modules whose ``websocket_urlpatterns`` are served."""


def _websockets() -> list[Any]:
    routes = [
        route
        for module in ROUTING
        if find_spec(module)
        for route in import_module(module).websocket_urlpatterns
    ]
    return [*routes, re_path("", cast(Any, NoSuchSocket.as_asgi()))]


application = ProtocolTypeRouter(
    {
        "http": http_application(),
        "lifespan": lifespan,
        "websocket": AuthMiddlewareStack(URLRouter(_websockets())),
    }
)
