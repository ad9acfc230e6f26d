"""How a ticket looks to a reader. What it waits for is opaque here: who knows it describes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from queueing.models import Ticket

Describe = Callable[[Ticket], dict[str, Any]]


def _plain(ticket: Ticket) -> dict[str, Any]:
    return {"queue_id": ticket.id, "state": ticket.state}


_describe: Describe = _plain


def describe_with(describe: Describe) -> None:
    """Let tickets be described so: as in ``GET /requests?queued=true``. Once, at start."""
    global _describe
    _describe = describe


def described(ticket: Ticket) -> dict[str, Any]:
    """The ticket now, with its true position and present blocker."""
    return _describe(ticket)
