"""Input is validated here; output serializers describe the answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers

from webhooks.models import Delivery
from webhooks.selectors import MAX_PAGE
from webhooks.types import EventType

MAX_WAIT_S = 60
MAX_REPOSITORIES = 200


class FollowIn(serializers.Serializer[Any]):
    """Which events: the query of ``ws/events``."""

    after = serializers.RegexField(
        r"^(latest|\d{1,18})\Z",
        required=False,
        help_text="Events after this sequence number; `latest` for none of the past; all when absent.",
        error_messages={"invalid": "Give a sequence number or latest"},
    )
    repo = serializers.CharField(
        required=False, allow_blank=True, max_length=255, help_text="One repository; empty for the null one."
    )
    type = serializers.ListField(
        child=serializers.ChoiceField(choices=[kind.value for kind in EventType]),
        required=False,
        max_length=len(EventType),
        help_text="Event types; may be repeated.",
    )


class EventsIn(FollowIn):
    """Query of ``GET /events``."""

    wait = serializers.FloatField(
        default=0, min_value=0, max_value=MAX_WAIT_S, help_text="Seconds to wait for the first event."
    )
    limit = serializers.IntegerField(default=100, min_value=1, max_value=MAX_PAGE)


class EventOut(serializers.Serializer[Any]):
    """One event."""

    seq = serializers.IntegerField()
    id = serializers.UUIDField()
    event_type = serializers.CharField()
    repo = serializers.CharField(allow_null=True)
    actor_engineer = serializers.CharField(allow_null=True)
    actor_session_id = serializers.CharField(allow_null=True)
    operator = serializers.CharField(allow_null=True)
    claim_id = serializers.UUIDField(allow_null=True)
    request_id = serializers.UUIDField(allow_null=True)
    ticket_id = serializers.UUIDField(allow_null=True)
    detail = serializers.DictField()
    created_at = serializers.CharField()


class EventsOut(serializers.Serializer[Any]):
    """A page of the log."""

    events = EventOut(many=True)
    next_after = serializers.IntegerField(help_text="Where to go on.")


class EndpointFields(serializers.Serializer[Any]):
    """What may be said about a receiver."""

    event_types = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        max_length=len(EventType),
        help_text="Send these only; empty for all.",
    )
    repositories = serializers.ListField(
        child=serializers.CharField(max_length=255, allow_blank=True),
        required=False,
        max_length=MAX_REPOSITORIES,
        help_text="Send events of these only; empty for all; an empty name is the null repository.",
    )
    paused = serializers.BooleanField(required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class EndpointIn(EndpointFields):
    """Body of ``POST /webhooks/endpoints``."""

    url = serializers.CharField(max_length=2000)
    secret = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=255,
        trim_whitespace=False,
        help_text="Key of the signature, 16 characters or more; made when absent; empty for unsigned.",
    )

    def validate_secret(self, value: str) -> str:
        """Short secrets can be guessed from one signature."""
        if value and len(value) < 16:
            raise serializers.ValidationError("Give 16 characters or more, none to have one made")
        return value


class EndpointEdit(EndpointFields):
    """Body of ``PATCH /webhooks/endpoints/{id}``."""

    url = serializers.CharField(required=False, max_length=2000)


class EndpointOut(serializers.Serializer[Any]):
    """A receiver."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    repositories = serializers.ListField(child=serializers.CharField(allow_blank=True))
    paused = serializers.BooleanField()
    note = serializers.CharField()
    managed_by = serializers.CharField(allow_null=True, help_text="`environment` or null.")
    signed = serializers.BooleanField()
    previous_secret_until = serializers.CharField(allow_null=True)
    created_at = serializers.CharField()
    updated_at = serializers.CharField()


class EndpointSecretOut(EndpointOut):
    """A receiver with its new secret, shown this once."""

    secret = serializers.CharField(allow_blank=True)


class EndpointsOut(serializers.Serializer[Any]):
    """All receivers (100 at most)."""

    endpoints = EndpointOut(many=True)


class RotateIn(serializers.Serializer[Any]):
    """Body of ``POST /webhooks/endpoints/{id}/rotate``."""

    overlap_s = serializers.IntegerField(
        default=86_400, min_value=0, max_value=2_592_000, help_text="Seconds that the old secret signs too."
    )


class ReplayIn(serializers.Serializer[Any]):
    """Body of ``POST /webhooks/endpoints/{id}/replay``."""

    from_seq = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, help_text="The first event to send again."
    )


class ReplayOut(serializers.Serializer[Any]):
    """What a replay queued."""

    queued = serializers.IntegerField()
    next_from_seq = serializers.IntegerField(allow_null=True, help_text="Where to go on; null at the end.")


class DeliveriesIn(serializers.Serializer[Any]):
    """Query of ``GET /webhooks/deliveries``."""

    endpoint = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(required=False, choices=Delivery.Status.choices)
    event_type = serializers.CharField(required=False, max_length=64)
    limit = serializers.IntegerField(default=100, min_value=1, max_value=MAX_PAGE)
    cursor = serializers.CharField(required=False, max_length=64)

    def validate_cursor(self, value: str) -> tuple[int, UUID]:
        """The last row of the page before."""
        seq, _, row = value.partition(".")
        try:
            return int(seq) if seq.isascii() and seq.isdigit() and len(seq) < 19 else _no_cursor(), UUID(row)
        except ValueError:
            return _no_cursor(), UUID(int=0)


class DeliveryOut(serializers.Serializer[Any]):
    """One delivery."""

    id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Delivery.Kind.choices)
    event_seq = serializers.IntegerField()
    event_type = serializers.CharField()
    status = serializers.ChoiceField(choices=Delivery.Status.choices)
    retry_count = serializers.IntegerField()
    next_attempt_at = serializers.CharField(allow_null=True)
    last_attempt_at = serializers.CharField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    response_status = serializers.IntegerField(allow_null=True)
    response_excerpt = serializers.CharField(allow_null=True)
    created_at = serializers.CharField()
    delivered_at = serializers.CharField(allow_null=True)


class DeliveriesOut(serializers.Serializer[Any]):
    """A page of deliveries, newest event first."""

    deliveries = DeliveryOut(many=True)
    next_cursor = serializers.CharField(allow_null=True)


def _no_cursor() -> int:
    raise serializers.ValidationError("Give the next_cursor of an answer")
