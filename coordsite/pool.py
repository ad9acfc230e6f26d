"""The web process's pool of PostgreSQL connections: bounded, checked, shared by all its threads.

The task cluster has none: its workers are forked, and a connection must not be.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connections

WAIT_S = 10.0
"""How long a thread waits for a connection before its request is answered 503, in seconds."""


def use_pool() -> None:
    """Let connections made from now on come from a pool. Once, before the first request; not for SQLite."""
    values = connections.settings["default"]
    if connections["default"].vendor != "postgresql" or "pool" in values["OPTIONS"]:
        return
    connections["default"].close()
    values["CONN_MAX_AGE"] = 0  # a connection goes back to the pool at the end of each hop to a lane
    values["OPTIONS"] = {
        **values["OPTIONS"],
        "pool": {
            "min_size": 1,
            "max_size": settings.COORD.database_pool_size,
            "timeout": WAIT_S,
            "name": "coord",
        },
    }
