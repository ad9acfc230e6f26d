"""What a process would do for its first page, done a moment after it began to serve.

Templates are compiled, addresses resolved and the history is counted once per process. Whoever opens the
dashboard first would wait for all of it.
"""

from __future__ import annotations

import logging
from threading import Timer

from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpRequest

from coordsite.dashboard import rendering, views
from coordsite.lanes import lanes

log = logging.getLogger("coord.dashboard")

AFTER_S = 1.0
"""The pause before it, in seconds: clients that come back to a service that was started again go first."""

PATIENCE_S = 30.0
"""How long it waits for the history, in seconds: the panels that show it are drawn only once per count."""


def start() -> None:
    """Warm this process up on a thread of its own, soon. Before the first request."""
    lanes()  # a page that is drawn in a serving process keeps what was counted for it
    timer = Timer(AFTER_S, warm)
    timer.name, timer.daemon = "warming", True
    timer.start()


def warm() -> None:
    """Draw the page for nobody. A failure is logged and harms nothing: the first page is slower then."""
    request = HttpRequest()
    request.method = "GET"
    request.META = {"SCRIPT_NAME": "", "SERVER_NAME": "localhost", "SERVER_PORT": "0"}
    request.user = get_user_model()(is_staff=True, is_superuser=True)
    try:
        rendering.count_ahead(PATIENCE_S)
        views.page(request, site).render()
    except Exception:
        log.warning("the dashboard could not be drawn ahead", exc_info=True)
    finally:
        connection.close()
