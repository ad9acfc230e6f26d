"""What the operations take, bounded."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from claims.models import Claim
from common.inputs import Input

MOST_ITEMS = 1000
MOST_PATTERNS = 5000
LEAST_HOURS, MOST_HOURS = 1 / 60, 720.0


class TextField(serializers.CharField):
    """One line of text without control characters or lone surrogates."""

    forbidden = re.compile(r"[\x00-\x1f\x7f]")

    def to_internal_value(self, data: Any) -> str:
        """The text. Refuses what no name or path contains."""
        text: str = super().to_internal_value(data)
        if self.forbidden.search(text):
            raise serializers.ValidationError("Control characters are not allowed.", code="invalid")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise serializers.ValidationError("Not valid Unicode text.", code="invalid") from error
        return text


class ProseField(TextField):
    """Text for people, of several lines perhaps."""

    forbidden = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class LeaseField(serializers.FloatField):
    """A lease in hours: one minute to thirty days."""

    zero_is_unset = False

    def to_internal_value(self, data: Any) -> float:
        """The hours. Refuses booleans, and what is not within the bounds."""
        if isinstance(data, bool):
            raise serializers.ValidationError("A number of hours is required.", code="invalid")
        hours: float = super().to_internal_value(data)
        if not LEAST_HOURS <= hours <= MOST_HOURS and not (self.zero_is_unset and hours == 0):
            raise serializers.ValidationError(
                f"Ensure this value is between {LEAST_HOURS:.4f} (one minute) and {MOST_HOURS:g} (30 days).",
                code="max_value" if hours > MOST_HOURS else "min_value",
            )
        return hours


class HoursField(LeaseField):
    """A lease in hours, or 0 for the default one."""

    zero_is_unset = True


def _name(**kwargs: Any) -> TextField:
    return TextField(max_length=200, **kwargs)


def _optional(length: int) -> TextField:
    return TextField(max_length=length, required=False, allow_null=True, allow_blank=True, default=None)


def _prose(length: int) -> ProseField:
    return ProseField(max_length=length, required=False, allow_null=True, allow_blank=True, default=None)


class ItemIn(Input):
    """One scope: a path or glob, or symbols in it."""

    type = serializers.ChoiceField(choices=Claim.Type.choices)
    pattern = serializers.CharField(
        max_length=1024, allow_blank=True, trim_whitespace=False, help_text="Path or glob, from the root."
    )
    symbols = serializers.ListField(
        child=TextField(max_length=512), required=False, allow_null=True, default=None, max_length=500
    )
    narrowable = serializers.BooleanField(required=False, allow_null=True, default=None)


class ClaimIn(Input):
    """A claim request: granted whole or not at all."""

    engineer = _name(required=False, allow_null=True, default=None)
    claims = serializers.ListField(child=ItemIn(), max_length=MOST_ITEMS)
    branch = _optional(300)
    description = _prose(2000)
    ttl_hours = HoursField(required=False, allow_null=True, default=None)
    repo = _optional(250)
    session_id = _optional(200)
    wait_seconds = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=600
    )
    hold_place_seconds = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=3600
    )
    urgency = _optional(16)


class ClaimListIn(Input):
    """Which claims to list."""

    active_only = serializers.BooleanField(default=True)
    engineer = _optional(200)
    module = _optional(1024)
    repo = _optional(250)
    session_id = _optional(200)
    limit = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=1000
    )
    cursor = _optional(300)


class ReleaseIn(Input):
    """Claims to release; with ``fences`` only if they are still the ones known."""

    claim_ids = serializers.ListField(child=TextField(max_length=100), max_length=5000)
    engineer = _optional(200)
    fences = serializers.DictField(child=serializers.IntegerField(), required=False, default=dict)


class ReleaseOneIn(Input):
    """Whose claim it must be, and which fence it must have."""

    engineer = _optional(200)
    fence = serializers.IntegerField(required=False, allow_null=True, default=None)


class ExtendIn(Input):
    """A new lease, from now."""

    engineer = _name(required=False, allow_null=True, default=None)
    ttl_hours = LeaseField(default=2, min_value=LEAST_HOURS, max_value=MOST_HOURS)
    fence = serializers.IntegerField(required=False, allow_null=True, default=None)


class ConflictsIn(Input):
    """What to check, for whom."""

    pattern = serializers.ListField(
        child=serializers.CharField(max_length=1024, allow_blank=True, trim_whitespace=False),
        required=False,
        default=list,
        max_length=MOST_PATTERNS,
    )
    symbol = serializers.ListField(
        child=TextField(max_length=1600), required=False, default=list, max_length=MOST_PATTERNS
    )
    engineer = _name(required=False, allow_null=True, default=None)
    repo = _optional(250)
    session_id = serializers.ListField(
        child=TextField(max_length=200, allow_blank=True), required=False, default=list, max_length=1000
    )


class ConflictsBatchIn(Input):
    """What to check, many at once."""

    patterns = serializers.ListField(
        child=serializers.CharField(max_length=1024, allow_blank=True, trim_whitespace=False),
        required=False,
        default=list,
        max_length=MOST_PATTERNS,
    )
    symbols = serializers.ListField(
        child=TextField(max_length=1600), required=False, default=list, max_length=MOST_PATTERNS
    )
    engineer = _name(required=False, allow_null=True, default=None)
    repo = _optional(250)
    session_ids = serializers.ListField(
        child=TextField(max_length=200, allow_blank=True), required=False, default=list, max_length=1000
    )
    branch = _optional(300)


class PathField(serializers.CharField):
    """One path as git names it: any character may be in it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=1024, trim_whitespace=False, **kwargs)


class RenameIn(Input):
    """A change of one file; a rename or copy names where it came from."""

    path = PathField()
    old_path = PathField(required=False, allow_null=True, default=None)


_PATH_SCHEMA = {"type": "string", "maxLength": 1024}
_RENAME_SCHEMA = {
    "type": "object",
    "properties": {"path": _PATH_SCHEMA, "old_path": {**_PATH_SCHEMA, "nullable": True}},
    "required": ["path"],
}


@extend_schema_field({"oneOf": [_PATH_SCHEMA, _RENAME_SCHEMA]})
class ChangeField(serializers.Field[Any, Any, Any, Any]):
    """A path, or an object with ``path`` and ``old_path``."""

    path = PathField()
    rename = RenameIn()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The change as ``RenameIn`` reads it."""
        if isinstance(data, dict):
            return dict(self.rename.run_validation(data))
        return {"path": self.path.run_validation(data)}

    def to_representation(self, value: Any) -> Any:
        """As it was given."""
        return value


class FenceIn(Input):
    """A claim that changes were made under, and the fence it was granted with."""

    id = TextField(max_length=100)
    fence = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class VerifyIn(Input):
    """What is to land, and under which claims it was made."""

    repo = _optional(250)
    base = _optional(300)
    head = _optional(300)
    changes = serializers.ListField(
        child=ChangeField(), max_length=MOST_PATTERNS, help_text="Paths; for a rename {path, old_path}."
    )
    claims = serializers.ListField(child=FenceIn(), required=False, default=list, max_length=MOST_ITEMS)
    engineer = _optional(200)
    session_id = _optional(200)
    session_ids = serializers.ListField(
        child=TextField(max_length=200, allow_blank=True), required=False, default=list, max_length=1000
    )


class SessionIn(Input):
    """Limits a session call to one repository."""

    repo = _optional(250)


class RequestIn(Input):
    """A release request."""

    claim_id = TextField(max_length=100)
    requester = _name(required=False, allow_null=True, default=None)
    session_id = _optional(200)
    reason = _prose(2000)
    urgency = TextField(max_length=16, default="normal", allow_blank=True)
    requested_scope = _optional(1024)
    wait_seconds = serializers.IntegerField(default=60, min_value=0, max_value=600)


class RespondIn(Input):
    """A holder's answer."""

    decision = TextField(max_length=16)
    engineer = _optional(200)
    session_id = _optional(200)
    note = _prose(2000)
    narrowed_pattern = _optional(1024)
    coexist_pattern = _optional(1024)
    coexist_symbols = serializers.DictField(
        child=serializers.ListField(child=TextField(max_length=512), max_length=500),
        required=False,
        allow_null=True,
        default=None,
    )


class RequestListIn(Input):
    """Which release requests, or which tickets, to list."""

    requester = _optional(200)
    claim_id = _optional(100)
    decision = _optional(16)
    queued = serializers.BooleanField(default=False)
    state = _optional(16)
    repo = _optional(250)
    session_id = _optional(200)


class WaitIn(Input):
    """How long to go on waiting, in seconds."""

    wait = serializers.IntegerField(default=0, min_value=0, max_value=60)


class EngineerIn(Input):
    """Whose it must be."""

    engineer = _optional(200)


class DaysIn(Input):
    """A window of days, for one repository or all."""

    days = serializers.IntegerField(default=30, min_value=1, max_value=90)
    repo = _optional(250)
