"""Rows of the ownership document's history and of contention."""

from __future__ import annotations

from django.db import models


class Revision(models.Model):
    """One version of the ownership document, verbatim. The newest row is the document in force."""

    text = models.TextField()
    rules = models.PositiveIntegerField(default=0)
    author = models.CharField(max_length=200)
    reason = models.CharField(max_length=2000, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"revision {self.pk}"


class Contention(models.Model):
    """A refused item: who asked for what, and who held it. Rows of one request share ``request_uid``."""

    class Resolution(models.TextChoices):
        OPEN = "", "Refused"
        WAITED = "waited", "Waits in line"
        GRANTED_LATER = "granted_later", "Granted later"
        GAVE_UP = "gave_up", "Gave up"

    request_uid = models.CharField(max_length=36)
    repo = models.CharField(max_length=200, blank=True)
    pattern = models.CharField(max_length=1100)
    attempted_by = models.CharField(max_length=200)
    attempted_session_id = models.CharField(max_length=200, null=True, blank=True)
    claim_id = models.CharField(max_length=36)
    holder_engineer = models.CharField(max_length=200)
    holder_pattern = models.CharField(max_length=1100)
    resolution = models.CharField(
        max_length=13, choices=Resolution.choices, default=Resolution.OPEN, blank=True
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [
            models.Index(fields=["created_at", "repo", "pattern"], name="contention_hotspots"),
            models.Index(fields=["claim_id", "created_at"], name="contention_of_claim"),
            models.Index(fields=["request_uid"], name="contention_request"),
        ]

    def __str__(self) -> str:
        return f"{self.attempted_by} wanted {self.pattern}"
