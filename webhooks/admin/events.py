"""The event log: to look at and to take away."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from common.admin import ReadOnlyAdmin
from webhooks.exporting import as_csv, as_json_lines
from webhooks.models import Event
from webhooks.types import EventType


class TypeFilter(admin.SimpleListFilter):
    """One type of event; the choices are those that can happen, without reading the log."""

    title = "type"
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every type."""
        return [(kind.value, kind.value) for kind in EventType]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen events."""
        return queryset.filter(event_type=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The log, newest first."""

    list_display = ("seq", "created_at", "event_type", "repo", "actor_engineer", "operator", "claim_id")
    list_filter = (TypeFilter,)
    search_fields = ("repo", "actor_engineer", "operator", "=claim_id", "=request_id", "=ticket_id")
    search_help_text = "Repository, engineer, operator, or a whole claim, request or ticket id"
    date_hierarchy = "created_at"
    ordering = ("-seq",)
    actions = ("export_csv", "export_json")

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        """The chosen events for a spreadsheet."""
        return _file(as_csv(queryset.order_by("seq").iterator()), "text/csv; charset=utf-8", "events.csv")

    @admin.action(description="Export as JSON lines", permissions=["view"])
    def export_json(self, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        """The chosen events for programs."""
        lines = as_json_lines(queryset.order_by("seq").iterator())
        return _file(lines, "application/x-ndjson", "events.jsonl")


def _file(lines: Any, kind: str, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type=kind, headers=headers)
