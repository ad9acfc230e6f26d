"""The ``webhooks`` app."""

from __future__ import annotations

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """The event log and its delivery: record, outbox, signing, retry."""

    name = "webhooks"
    verbose_name = "Events and webhooks"
