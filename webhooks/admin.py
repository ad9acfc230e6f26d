"""The event log, receivers and deliveries in admin: to look at. Changes go through the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from webhooks.models import Delivery, Endpoint, Event


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    """Rows that admin shows and never writes."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Event)
class EventAdmin(ReadOnly):
    """The log, newest first."""

    list_display = ("seq", "created_at", "event_type", "repo", "actor_engineer", "operator")
    list_filter = ("event_type",)
    search_fields = ("=repo", "=actor_engineer", "=claim_id", "=request_id", "=ticket_id")
    ordering = ("-seq",)


@admin.register(Endpoint)
class EndpointAdmin(ReadOnly):
    """Receivers, without their secrets."""

    list_display = ("url", "paused", "managed_by", "note", "created_at")
    exclude = ("secret", "previous_secret")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    """The outbox, newest event first."""

    list_display = ("id", "event", "endpoint", "status", "retry_count", "last_error", "created_at")
    list_filter = ("status", "endpoint")
    list_select_related = ("event", "endpoint")
    ordering = ("-event_id", "-id")
