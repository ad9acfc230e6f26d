"""The shapes of the ownership API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

MOST_PATTERN = 1024
MOST_NOTE = 1000
MOST_REPO = 200
MOST_REASON = 1000

_Base = serializers.Serializer[Any]


class SaveIn(_Base):
    """Query of an upload."""

    reason = serializers.CharField(
        max_length=MOST_REASON,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why; kept.",
    )


class SavedOut(_Base):
    """A document was put in force."""

    ok = serializers.BooleanField()
    rules = serializers.IntegerField(help_text="Path rules in the document.")
    revision = serializers.IntegerField(help_text="The revision in force.")


class RevisionsIn(_Base):
    """Which part of the history."""

    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)
    cursor = serializers.IntegerField(
        min_value=1, required=False, help_text="`next_cursor` of the page before."
    )


class RevisionOut(_Base):
    """One version of the document, without its text."""

    id = serializers.IntegerField()
    replaces = serializers.IntegerField(allow_null=True)
    rules = serializers.IntegerField()
    author = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    etag = serializers.CharField()


class RevisionsOut(_Base):
    """A page of the history, newest first."""

    revisions = RevisionOut(many=True)
    count = serializers.IntegerField()
    next_cursor = serializers.IntegerField(allow_null=True)


class RevisionDetailOut(RevisionOut):
    """One version with its text and its difference from the one it replaced."""

    text = serializers.CharField()
    diff = serializers.CharField(allow_null=True, help_text="Unified; null when the texts are too large.")


class HotspotsIn(_Base):
    """Which hotspots."""

    days = serializers.IntegerField(min_value=1, max_value=90, default=30)
    min_attempts = serializers.IntegerField(min_value=1, max_value=1_000_000, default=5)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=20)
    repo = serializers.CharField(max_length=MOST_REPO, required=False, allow_blank=True)


class HotspotOut(_Base):
    """A pattern that is often refused."""

    repo = serializers.CharField(allow_null=True)
    pattern = serializers.CharField()
    attempts = serializers.IntegerField(help_text="Refused requests.")
    distinct_attempters = serializers.IntegerField()
    last_attempt = serializers.DateTimeField()
    suggested_action = serializers.ChoiceField(choices=["split", "shared_file", "monitor"])


class HotspotsOut(_Base):
    """The hotspots of a window, most attempts first."""

    hotspots = HotspotOut(many=True)
    days = serializers.IntegerField()
    min_attempts = serializers.IntegerField()
    count = serializers.IntegerField()


class PromoteIn(_Base):
    """What to do about a pattern. `note` goes with a split."""

    action = serializers.CharField(max_length=100, help_text="`shared_file` or `split`.")
    pattern = serializers.CharField(max_length=MOST_PATTERN, trim_whitespace=False)
    repo = serializers.CharField(max_length=MOST_REPO, required=False, allow_null=True, allow_blank=True)
    note = serializers.CharField(max_length=MOST_NOTE, required=False, allow_null=True, allow_blank=True)


class PromotedOut(_Base):
    """The document after the promotion."""

    ok = serializers.BooleanField()
    action = serializers.CharField()
    pattern = serializers.CharField()
    repo = serializers.CharField(allow_null=True)
    patched_yaml = serializers.CharField()
