"""Rows of the ownership package. All writes go through :mod:`ownership.services`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Revision(models.Model):
    """One version of owners.yaml, verbatim. The row with the largest ``id`` is in force.

    ``replaces`` is the id of the revision that the author saw (0 for the first). It is unique, so of two
    edits of one revision the database lets one win.
    """

    replaces = models.BigIntegerField(unique=True, editable=False)
    text = models.TextField(blank=True)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the text, in hex.")
    rules = models.PositiveIntegerField(default=0)
    author = models.CharField(max_length=255)
    reason = models.CharField(max_length=1000, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(replaces__lt=F("id")), name="revision_replaces_older"),
        )

    def __str__(self) -> str:
        return f"Revision {self.pk}"

    @property
    def etag(self) -> str:
        """The HTTP entity tag, quoted."""
        return f'"{self.pk}-{self.digest[:12]}"'


class Contention(models.Model):
    """One refused item and one holder in its way. Rows of one request share ``request_uid``."""

    class Resolution(models.TextChoices):
        """What became of the request; empty when it was refused at once."""

        NONE = "", "Refused"
        WAITED = "waited", "Waiting"
        GRANTED_LATER = "granted_later", "Granted later"
        GAVE_UP = "gave_up", "Gave up"

    request_uid = models.CharField(max_length=36)
    repo = models.CharField(max_length=200, blank=True, default="")
    pattern = models.CharField(max_length=1100)
    attempted_by = models.CharField(max_length=200)
    attempted_session_id = models.CharField(max_length=200, null=True, blank=True)
    claim_id = models.CharField(max_length=36)
    holder_engineer = models.CharField(max_length=200)
    holder_pattern = models.CharField(max_length=1100)
    resolution = models.CharField(max_length=16, choices=Resolution.choices, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "contention log"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["created_at", "repo", "pattern"], name="contention_hotspots"),
            # All that counting refused requests needs: the dashboard counts a day's for each drawing.
            models.Index(
                fields=["created_at", "request_uid", "claim_id", "resolution", "repo"],
                name="contention_refused",
            ),
            models.Index(fields=["claim_id", "created_at"], name="contention_of_claim"),
            models.Index(fields=["request_uid"], name="contention_request"),
        )

    def __str__(self) -> str:
        return f"{self.attempted_by}: {self.pattern}"
