"""The event log, its receivers and deliveries in admin."""

from __future__ import annotations

from webhooks.admin import endpoints, events

__all__ = ["endpoints", "events"]
