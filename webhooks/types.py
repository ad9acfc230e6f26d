"""The names of events. Programs outside filter on them: a name is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventType(StrEnum):
    """What can happen."""

    CLAIM_GRANTED = "claim_granted"
    CLAIM_RELEASED = "claim_released"
    CLAIM_EXPIRED = "claim_expired"
    CLAIM_IDLE = "claim_idle"
    CLAIM_EXTENDED = "claim_extended"
    CLAIM_NARROWED = "claim_narrowed"
    CLAIM_COEXIST = "claim_coexist"
    CLAIM_TRANSFERRED = "claim_transferred"
    LEASE_SHORTENED = "lease_shortened"
    LEASE_RESTORED = "lease_restored"
    AUTO_COEXIST = "auto-coexist"
    AUTO_NARROW = "auto-narrow"

    QUEUE_ENQUEUE = "queue_enqueue"
    QUEUE_OFFER = "queue_offer"
    QUEUE_WITHDRAW = "queue_withdraw"
    QUEUE_GRANT = "queue_grant"
    QUEUE_CANCEL = "queue_cancel"
    QUEUE_EXPIRE = "queue_expire"

    FILED = "filed"
    NOTIFIED = "notified"
    RESPONDED = "responded"
    RESPONDED_LATE = "responded-late"
    EXPIRED = "expired"
    RESOLVED = "resolved"

    OWNERSHIP_EDITED = "ownership_edited"
    AUTO_PROMOTE = "auto-promote"
    AUTO_DEMOTE = "auto-demote"
    PINNED = "pinned"

    TOKEN_CREATED = "token_created"  # noqa: S105 - a name
    TOKEN_ROTATED = "token_rotated"  # noqa: S105 - a name
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a name
    REPOSITORY_EDITED = "repository_edited"
    OPERATOR_ACTION = "operator_action"

    ENDPOINT_CREATED = "endpoint_created"
    ENDPOINT_EDITED = "endpoint_edited"
    ENDPOINT_DELETED = "endpoint_deleted"
    ENDPOINT_SECRET_ROTATED = "endpoint_secret_rotated"  # noqa: S105 - a name
    ENDPOINT_REPLAYED = "endpoint_replayed"
    ENDPOINT_TEST = "endpoint_test"
    """Sent by the test button to one endpoint, whatever its filters say; to no other."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to record. ``repo`` ``""`` is the null repository; ``operator`` an admin user or token."""

    type: EventType
    repo: str
    actor_engineer: str | None = None
    actor_session_id: str | None = None
    operator: str | None = None
    claim_id: UUID | str | None = None
    request_id: UUID | str | None = None
    ticket_id: UUID | str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
