"""All writes of the event log and its delivery."""

from __future__ import annotations

from webhooks.log import skip_ahead
from webhooks.services.correcting import purge_deliveries, retry_deliveries
from webhooks.services.delivery import deliver, deliver_due
from webhooks.services.endpoints import (
    create_endpoint,
    delete_endpoint,
    edit_endpoint,
    replay_events,
    rotate_secret,
    send_test_event,
)
from webhooks.services.environment import ensure_environment, prepare, reconcile_environment
from webhooks.services.importing import ForeignDelivery, import_delivery
from webhooks.services.recording import gathered, record
from webhooks.services.retention import trim_events

__all__ = [
    "ForeignDelivery",
    "create_endpoint",
    "delete_endpoint",
    "deliver",
    "deliver_due",
    "edit_endpoint",
    "ensure_environment",
    "gathered",
    "import_delivery",
    "prepare",
    "purge_deliveries",
    "reconcile_environment",
    "record",
    "replay_events",
    "retry_deliveries",
    "rotate_secret",
    "send_test_event",
    "skip_ahead",
    "trim_events",
]
