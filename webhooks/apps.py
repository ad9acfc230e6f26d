"""The ``webhooks`` app."""

from __future__ import annotations

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """The event log and its delivery: record, outbox, signing, retry."""

    name = "webhooks"
    verbose_name = "Events and webhooks"

    def ready(self) -> None:
        """Let waiters of this process hear of events that other processes commit."""
        from common.wakeups import register_source
        from webhooks.log import EventLogSource

        register_source(EventLogSource())
