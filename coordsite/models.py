"""Rows of the site: personal tokens, leases of jobs. All writes go through the services."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models

from common import clock


def new_id() -> str:
    """A fresh row id: a lowercase UUIDv4."""
    return str(uuid.uuid4())


class Token(models.Model):
    """A personal token: one engineer's proof. The token itself is shown once and never stored.

    ``digest`` is its SHA-256; ``prefix`` its first characters, to recognise it by. Empty
    ``repositories`` is no limit. A rotated token works until ``rotation_grace_until``. Rows stay when a
    token is revoked.
    """

    class Role(models.TextChoices):
        """What a token is for; see ``docs/identity.md``."""

        AGENT = "agent", "Agent"
        CI = "ci", "CI"
        OPERATOR = "operator", "Operator"
        VIEWER = "viewer", "Viewer"

    class Status(models.TextChoices):
        """What has become of a token; the first that applies."""

        REVOKED = "revoked", "Revoked"
        EXPIRED = "expired", "Expired"
        SUPERSEDED = "superseded", "Rotated, grace over"
        ROTATING = "rotating", "Rotated, in grace"
        ACTIVE = "active", "Active"

    id = models.CharField(primary_key=True, max_length=36, default=new_id, editable=False)
    engineer = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=16, editable=False)
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.AGENT)
    repositories = models.JSONField(default=list, blank=True)
    description = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField(null=True, blank=True)
    rotated_from = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="successor"
    )
    rotation_grace_until = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="coord_token",
        help_text="The account of those who sign in with it.",
    )

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["engineer", "created_at"], name="token_engineer"),)

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.engineer}"

    def status(self, now: datetime | None = None) -> Token.Status:
        """What has become of the token at a moment (now)."""
        now = now or clock.now()
        if self.revoked_at is not None:
            return self.Status.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return self.Status.EXPIRED
        if self.rotation_grace_until is not None:
            return self.Status.SUPERSEDED if self.rotation_grace_until <= now else self.Status.ROTATING
        return self.Status.ACTIVE


class Lease(models.Model):
    """A job that one process at a time does, and until when that process may take it to be its own."""

    name = models.CharField(primary_key=True, max_length=50)
    holder = models.CharField(max_length=200)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class SignInLink(models.Model):
    """A one-time way into an account, until ``expires_at``. Of the link only its digest is kept."""

    digest = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"link for {self.account}"
