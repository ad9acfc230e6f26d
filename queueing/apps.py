"""The ``queueing`` app."""

from __future__ import annotations

from django.apps import AppConfig


class QueueingConfig(AppConfig):
    """Tickets: order, fairness, states, offers, deadlock search, wakeups and websocket consumers."""

    name = "queueing"
    verbose_name = "Queue"
