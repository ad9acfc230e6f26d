"""What the operations answer, for the API description. Answers are built in :mod:`claims.answers`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s


class ErrorOut(s.Serializer[Any]):
    """Every refusal."""

    detail = s.JSONField()
    code = s.CharField()
    retryable = s.BooleanField()
    retry_after_s = s.IntegerField(allow_null=True)
    next = s.CharField(allow_null=True)


class GrantedClaimOut(s.Serializer[Any]):
    """A claim that was granted."""

    id = s.CharField()
    pattern = s.CharField()
    fence = s.IntegerField()
    expires_at = s.CharField()
    severity = s.CharField()
    scope_type = s.CharField()


class HolderOut(s.Serializer[Any]):
    """Who stands in the way."""

    id = s.CharField()
    engineer = s.CharField()
    pattern = s.CharField()
    severity = s.CharField()
    description = s.CharField(allow_null=True)
    expires_at = s.CharField()
    scope_type = s.CharField()
    symbols = s.ListField(child=s.CharField(), allow_null=True)
    session = s.CharField(allow_null=True)
    branch = s.CharField(allow_null=True)
    seconds_left = s.IntegerField()


class SymbolOverlapOut(s.Serializer[Any]):
    """Symbols that both want, with first and last line where the source is known."""

    file = s.CharField()
    symbols = s.ListField(child=s.CharField())
    lines = s.DictField(child=s.ListField(child=s.IntegerField()), required=False)


class ConflictOut(s.Serializer[Any]):
    """One item and one holder."""

    your_pattern = s.CharField()
    conflicting_claim = HolderOut()
    overlap = s.ListField(child=s.CharField())
    your_symbols = s.ListField(child=s.CharField(), allow_null=True)
    symbol_overlap = SymbolOverlapOut(many=True, allow_null=True)
    kind = s.ChoiceField(choices=["held", "queued"])
    next = s.CharField()


class ClaimOut(s.Serializer[Any]):
    """The answer to a claim request."""

    claim_ids = s.ListField(child=s.CharField())
    conflicts = ConflictOut(many=True)
    warnings = s.ListField(child=s.CharField())
    options = s.ListField(child=s.CharField())
    claims = GrantedClaimOut(many=True)


class RefusalOut(ClaimOut):
    """A claim request refused."""

    code = s.CharField()
    retryable = s.BooleanField()
    retry_after_s = s.IntegerField(allow_null=True)
    next = s.CharField(allow_null=True)


class InLineOut(ClaimOut):
    """A place in line that outlives the call."""

    queue_id = s.CharField()
    position = s.IntegerField()
    holder = s.CharField(allow_null=True)
    eta_s = s.IntegerField(allow_null=True)
    poll_after_s = s.IntegerField()
    expires_at = s.CharField()
    next = s.CharField()


class ClaimRowOut(s.Serializer[Any]):
    """A claim in a listing."""

    id = s.CharField()
    engineer = s.CharField()
    branch = s.CharField(allow_null=True)
    description = s.CharField(allow_null=True)
    claim_type = s.CharField()
    pattern = s.CharField()
    severity = s.CharField()
    created_at = s.CharField()
    expires_at = s.CharField()
    released_at = s.CharField(allow_null=True)
    repo = s.CharField(allow_null=True)
    session_id = s.CharField(allow_null=True)
    last_activity = s.CharField(allow_null=True)
    coexists_with = s.CharField(allow_null=True)
    ttl_shortened = s.IntegerField()
    scope_type = s.CharField()
    narrowable = s.IntegerField()
    fence = s.IntegerField()
    end_reason = s.CharField(allow_null=True)


class ClaimListOut(s.Serializer[Any]):
    """A page of claims."""

    claims = ClaimRowOut(many=True)
    count = s.IntegerField()
    next_cursor = s.CharField(allow_null=True)


class ReleasedOut(s.Serializer[Any]):
    """How many claims ended."""

    released = s.IntegerField()


class ExtendedOut(s.Serializer[Any]):
    """The new lease."""

    ok = s.BooleanField()
    expires_at = s.CharField()
    fence = s.IntegerField()
    ttl_shortened = s.IntegerField()


class CheckEntryOut(s.Serializer[Any]):
    """One conflict of a check."""

    your_pattern = s.CharField()
    engineer = s.CharField()
    pattern = s.CharField()
    severity = s.CharField()
    expires_at = s.CharField()
    overlap = s.ListField(child=s.CharField())
    kind = s.ChoiceField(choices=["held", "queued"])
    next = s.CharField()
    symbol_overlap = SymbolOverlapOut(many=True, required=False)


class CheckOut(s.Serializer[Any]):
    """The answer to a check."""

    has_conflicts = s.BooleanField()
    conflicts = CheckEntryOut(many=True)
    safe_to_proceed = s.BooleanField()
    safe = s.BooleanField()
    suggestion = s.CharField(allow_null=True)


class VerifiedPathOut(s.Serializer[Any]):
    """One path: whose it is. The claim is the holder's, or your own when the path is yours."""

    path = s.CharField()
    verdict = s.ChoiceField(choices=["yours", "unclaimed", "held_by_other", "stale_fence"])
    claim_id = s.CharField(allow_null=True)
    fence = s.IntegerField(allow_null=True)
    holder = s.CharField(allow_null=True)
    session = s.CharField(allow_null=True)
    pattern = s.CharField(allow_null=True)
    description = s.CharField(allow_null=True)
    expires_at = s.CharField(allow_null=True)
    minutes_left = s.IntegerField(allow_null=True)
    next = s.CharField(allow_null=True)


class VerifiedClaimOut(s.Serializer[Any]):
    """A claim that was presented, and whether its fence still counts."""

    id = s.CharField()
    fence = s.IntegerField()
    state = s.ChoiceField(choices=["live", "ended", "wrong_fence", "not_yours", "unknown"])


class VerdictCountsOut(s.Serializer[Any]):
    """How many paths there are of each verdict."""

    yours = s.IntegerField()
    unclaimed = s.IntegerField()
    held_by_other = s.IntegerField()
    stale_fence = s.IntegerField()


class VerifyOut(s.Serializer[Any]):
    """Whether the changes may land: no path is held by another or was made under a stale fence."""

    ok = s.BooleanField()
    repo = s.CharField(allow_null=True)
    base = s.CharField(allow_null=True)
    head = s.CharField(allow_null=True)
    counts = VerdictCountsOut()
    paths = VerifiedPathOut(many=True)
    claims = VerifiedClaimOut(many=True)
    next = s.CharField(allow_null=True)


class RequestOut(s.Serializer[Any]):
    """A release request."""

    id = s.CharField()
    claim_id = s.CharField()
    requester_engineer = s.CharField()
    requester_session_id = s.CharField(allow_null=True)
    requested_pattern = s.CharField()
    reason = s.CharField(allow_null=True)
    urgency = s.CharField()
    decision = s.CharField()
    decided_at = s.CharField(allow_null=True)
    decided_by_engineer = s.CharField(allow_null=True)
    decided_by_session_id = s.CharField(allow_null=True)
    note = s.CharField(allow_null=True)
    original_expires_at = s.CharField()
    shortened_expires_at = s.CharField()
    created_at = s.CharField()
    requested_scope = s.CharField(allow_null=True)


class AnsweredOut(RequestOut):
    """A release request after its answer."""

    claim_ids = s.ListField(child=s.CharField())


class RowsOut(s.Serializer[Any]):
    """A list and its length."""

    count = s.IntegerField()


class RequestListOut(RowsOut):
    """Release requests or tickets."""

    requests = s.ListField(child=s.DictField())
    queued = s.BooleanField(required=False)


class RequestEventsOut(RowsOut):
    """A request's events, oldest first."""

    events = s.ListField(child=s.DictField())


class InboxOut(RowsOut):
    """What a session should know."""

    pending = s.ListField(child=s.DictField())


class HeartbeatOut(s.Serializer[Any]):
    """A sign of life."""

    ok = s.BooleanField()
    renewed = s.IntegerField()
    lost = s.ListField(child=s.DictField())


class CancelledOut(s.Serializer[Any]):
    """Whether a place was given up."""

    ok = s.BooleanField()
    cancelled = s.BooleanField()
    queue_id = s.CharField()


class ReposOut(RowsOut):
    """Repositories, the busiest first."""

    repos = s.ListField(child=s.DictField())


class SeriesOut(RowsOut):
    """A daily series."""

    series = s.ListField(child=s.DictField())
    days = s.IntegerField()
