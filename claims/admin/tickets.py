"""Places in line: cancel one, or put it first."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from claims.admin.filters import LineFilter
from claims.services import waiting
from common.admin import ActingAdmin, act, operator_of
from common.errors import Conflict
from queueing.models import Ticket
from queueing.services import first_pattern


@admin.register(Ticket)
class TicketAdmin(ActingAdmin):
    """Those in line first."""

    every_row = "?state=all"
    nothing = "Nobody waits."
    list_display = ("wants", "engineer", "repo", "urgency", "state", "place", "passed_over", "enqueued_at")
    list_filter = (LineFilter, "urgency", "end_reason")
    search_fields = ("engineer", "repo", "=session_id", "=id")
    search_help_text = "Engineer, repository, or a whole session or ticket id"
    date_hierarchy = "enqueued_at"
    ordering = ("repo", "place")
    actions = ("cancel", "move_to_front")
    fields = (
        "asks_for",
        "engineer",
        "session_id",
        "repo",
        "urgency",
        "state",
        "place",
        "front",
        "passed_over",
        "enqueued_at",
        "alive_until",
        "expires_at",
        "offer_until",
        "ended_at",
        "end_reason",
    )
    readonly_fields = ("asks_for",)

    @admin.display(description="Wants")
    def wants(self, ticket: Ticket) -> str:
        """The first pattern, and how many more."""
        more = len(ticket.request.get("items", ())) - 1
        return first_pattern(ticket) + (f" and {more} more" if more > 0 else "")

    @admin.display(description="Asks for")
    def asks_for(self, ticket: Ticket) -> str:
        """Everything that it wants, granted together or not at all."""
        return "; ".join(
            item["pattern"] + "".join(f" {symbol}" for symbol in item.get("symbols") or ())
            for item in ticket.request.get("items", ())
        )

    @act("Cancel", question="Take these out of the line? Their waiters are told at once.", ends=True)
    def cancel(self, request: HttpRequest, ticket: Ticket, *, reason: str) -> None:
        """Give the place up for its waiter."""
        name = operator_of(request).name
        if not waiting.cancel(ticket.id, reason="operator", operator=name, note=reason):
            raise Conflict("The ticket is not in line any more.")

    @act("Move to front", question="Serve this ticket before all others of its repository?", one=True)
    def move_to_front(self, request: HttpRequest, ticket: Ticket, *, reason: str) -> None:
        """Put it first."""
        name = operator_of(request).name
        if not waiting.move_to_front(ticket.id, operator=name, reason=reason):
            raise Conflict("The ticket does not wait any more.")
