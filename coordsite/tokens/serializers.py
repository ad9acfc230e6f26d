"""The shapes of the tokens API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coordsite.models import Token
from coordsite.tokens.durations import WORDS, BadDuration, parse_duration

_Base = serializers.Serializer[Any]


@extend_schema_field(OpenApiTypes.STR)
class DurationField(serializers.Field[timedelta, str, str, Any]):
    """A duration as people write it: ``24h``, ``30d``."""

    def __init__(self, *, zero: bool = False, **kwargs: Any) -> None:
        super().__init__(help_text=f"A duration: {WORDS}.", **kwargs)
        self.zero = zero

    def to_internal_value(self, data: str) -> timedelta:
        """The duration. Refuses what is none."""
        try:
            return parse_duration(data if isinstance(data, str) else str(data)[:20], zero=self.zero)
        except BadDuration as error:
            raise serializers.ValidationError(str(error), code="invalid") from error


class TokenIn(_Base):
    """A new token."""

    engineer = serializers.CharField(max_length=200, help_text="Whose token it is.")
    role = serializers.ChoiceField(choices=Token.Role.choices, default=Token.Role.AGENT)
    repositories = serializers.ListField(
        child=serializers.CharField(max_length=250),
        required=False,
        default=list,
        max_length=100,
        help_text="What it sees and touches; empty for all.",
    )
    description = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    expires_in = DurationField(required=False, allow_null=True, default=None)


class RotateTokenIn(_Base):
    """How long the old token goes on working, and how long the new one lives."""

    grace = DurationField(zero=True, required=False, default=timedelta(hours=24))
    expires_in = DurationField(required=False, allow_null=True, default=None)


class TokensIn(_Base):
    """Which tokens to list."""

    engineer = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    include_revoked = serializers.BooleanField(default=False)
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)
    cursor = serializers.CharField(max_length=36, required=False, default=None)


class TokenOut(_Base):
    """A token, without the token."""

    id = serializers.CharField()
    prefix = serializers.CharField(help_text="Its first characters.")
    engineer = serializers.CharField()
    role = serializers.ChoiceField(choices=Token.Role.choices)
    repositories = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=Token.Status.choices)
    created_at = serializers.CharField()
    created_by = serializers.CharField()
    expires_at = serializers.CharField(allow_null=True)
    last_used_at = serializers.CharField(allow_null=True)
    revoked_at = serializers.CharField(allow_null=True)
    rotated_from = serializers.CharField(allow_null=True)
    rotation_grace_until = serializers.CharField(allow_null=True)


class NewTokenOut(TokenOut):
    """A token that was just made; ``token`` is shown this once."""

    token = serializers.CharField()


class TokensOut(_Base):
    """A page of tokens, newest first."""

    tokens = TokenOut(many=True)
    count = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)


class WhoamiOut(_Base):
    """Who asks, as the token proves it."""

    auth_kind = serializers.ChoiceField(choices=["per_engineer", "shared"], allow_null=True)
    engineer = serializers.CharField(allow_null=True)
    repo_scope = serializers.CharField(allow_null=True, help_text="The repository, when it is exactly one.")
    scoped = serializers.BooleanField()
    role = serializers.ChoiceField(choices=Token.Role.choices)
    operator = serializers.BooleanField()
    repositories = serializers.ListField(child=serializers.CharField(), help_text="Empty for all.")
    session_id = serializers.CharField(allow_null=True)
    token = TokenOut(allow_null=True)
