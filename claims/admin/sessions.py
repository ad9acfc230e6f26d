"""Sessions that hold something: end one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from claims.models import HoldingSession
from claims.selectors.sessions import holding_sessions, session_holding
from claims.services.releasing import release_session
from common.admin import ActingAdmin, act, operator_of


@admin.register(HoldingSession)
class HoldingSessionAdmin(ActingAdmin):
    """One row per session with live claims."""

    list_display = ("session_id", "engineer", "repository", "claims", "last_activity")
    list_select_related = ("repository",)
    search_fields = ("=session_id", "engineer", "repository__name")
    search_help_text = "Engineer, repository, or a whole session id"
    ordering = ("last_activity",)
    nothing = "No session holds anything."
    fields = ("session_id", "engineer", "repository", "branch", "last_activity")
    actions = ("end",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The sessions, not their claims."""
        return holding_sessions()

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> HoldingSession | None:
        """The session, by any claim that it holds."""
        return session_holding(object_id)

    @admin.display(description="Live claims", ordering="held")
    def claims(self, session: Any) -> int:
        """How much it holds."""
        return int(session.held)

    @act("End", question="End everything that these sessions hold or wait for?", ends=True)
    def end(self, request: HttpRequest, session: HoldingSession, *, reason: str) -> str:
        """Release the session's claims and places in line."""
        ended = release_session(session.session_id or "", operator_of(request), reason=reason)
        word = "claim" if len(ended) == 1 else "claims"
        return f"Session {session.session_id}: {len(ended)} {word} released."
