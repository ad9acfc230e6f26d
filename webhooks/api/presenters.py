"""Rows as the API shows them. ``event`` is also what the websocket sends."""

from __future__ import annotations

from typing import Any

from common.caller import Caller
from common.clock import iso
from webhooks.models import OPEN_STATES, Delivery, Endpoint, Event
from webhooks.services.delivery import secrets_of


def event(row: Event, caller: Caller) -> dict[str, Any]:
    """One event, as the caller may see it."""
    return {
        "seq": row.seq,
        "id": str(row.uid),
        "event_type": row.event_type,
        "repo": row.repo or None,
        "actor_engineer": row.actor_engineer,
        "actor_session_id": caller.shown(row.actor_session_id),
        "operator": row.operator,
        "claim_id": row.claim_id and str(row.claim_id),
        "request_id": row.request_id and str(row.request_id),
        "ticket_id": row.ticket_id and str(row.ticket_id),
        "detail": shown_detail(row.detail, caller),
        "created_at": iso(row.created_at),
    }


def shown_detail(detail: Any, caller: Caller) -> Any:
    """An event's detail with other parties' session ids shortened."""
    if isinstance(detail, dict):
        return {
            key: caller.shown(value)
            if key.endswith("session_id") and isinstance(value, str)
            else shown_detail(value, caller)
            for key, value in detail.items()
        }
    return [shown_detail(one, caller) for one in detail] if isinstance(detail, list) else detail


def endpoint(row: Endpoint) -> dict[str, Any]:
    """One receiver, without its secret."""
    return {
        "id": str(row.id),
        "url": row.url,
        "event_types": row.event_types,
        "repositories": row.repositories,
        "paused": row.paused,
        "note": row.note,
        "managed_by": row.managed_by or None,
        "signed": bool(secrets_of(row)),
        "previous_secret_until": iso(row.previous_secret_until),
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }


def delivery(row: Delivery) -> dict[str, Any]:
    """One delivery; its event is loaded with it."""
    return {
        "id": str(row.id),
        "endpoint_id": str(row.endpoint_id),
        "kind": row.kind,
        "event_seq": row.event_id,
        "event_type": row.event.event_type,
        "status": row.status,
        "retry_count": row.retry_count,
        "next_attempt_at": iso(row.next_attempt_at) if row.status in OPEN_STATES else None,
        "last_attempt_at": iso(row.last_attempt_at),
        "last_error": row.last_error,
        "response_status": row.response_status,
        "response_excerpt": row.response_excerpt,
        "created_at": iso(row.created_at),
        "delivered_at": iso(row.delivered_at),
    }
