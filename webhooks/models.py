"""The event log, its receivers and the outbox."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

OPEN_STATES = ("pending", "failed")


class Event(models.Model):
    """One thing that happened. Rows are only added, and removed from the old end by retention.

    ``seq`` grows in commit order: a reader that has seen ``seq`` never finds a smaller one later.
    Actors and subjects are plain values: the log outlives what it speaks of.
    """

    seq = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    event_type = models.CharField(max_length=64)
    repo = models.CharField(max_length=255, blank=True, default="")
    actor_engineer = models.CharField(max_length=255, null=True, blank=True)
    actor_session_id = models.CharField(max_length=255, null=True, blank=True)
    operator = models.CharField(max_length=255, null=True, blank=True)
    claim_id = models.UUIDField(null=True, blank=True)
    request_id = models.UUIDField(null=True, blank=True)
    ticket_id = models.UUIDField(null=True, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("seq",)
        indexes = (
            models.Index(fields=["repo", "seq"], name="event_repo"),
            models.Index(fields=["event_type", "seq"], name="event_type"),
            models.Index(fields=["created_at"], name="event_created"),
            models.Index(fields=["claim_id"], name="event_claim", condition=Q(claim_id__isnull=False)),
            models.Index(fields=["request_id"], name="event_request", condition=Q(request_id__isnull=False)),
            models.Index(fields=["ticket_id"], name="event_ticket", condition=Q(ticket_id__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.event_type}"


class Trim(models.Model):
    """How far retention has removed the log: one row, ``seq`` is the last removed event's."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="trim_is_one_row"),)

    def __str__(self) -> str:
        return f"trimmed to {self.seq}"


class Endpoint(models.Model):
    """A webhook receiver. Empty ``event_types`` or ``repositories`` is no filter; ``""`` the null repository.

    ``managed_by`` is ``environment`` for the receiver of ``COORD_WEBHOOK_URL``, which only the
    environment changes. ``previous_secret`` signs too until ``previous_secret_until``.
    ``nudged_until`` says that a delivery task is on its way, so that no second one is queued.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    url = models.CharField(max_length=2000)
    secret = models.CharField(max_length=255, blank=True, default="")
    previous_secret = models.CharField(max_length=255, blank=True, default="")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    event_types = models.JSONField(default=list, blank=True)
    repositories = models.JSONField(default=list, blank=True)
    paused = models.BooleanField(default=False)
    note = models.CharField(max_length=1000, blank=True, default="")
    managed_by = models.CharField(max_length=32, blank=True, default="")
    nudged_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("created_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["managed_by"], condition=~Q(managed_by=""), name="endpoint_one_per_manager"
            ),
        )

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event on its way to one endpoint: the outbox. ``id`` is the receiver's key against duplicates.

    Within an endpoint the open row with the smallest event is sent first, and nothing else before it is
    delivered or exhausted. A worker owns a row between a compare-and-set of ``leased_until`` with its
    ``lease_owner`` and its result; a row whose lease ran out is anybody's again. Times are UTC.
    """

    class Status(models.TextChoices):
        """``pending`` was never sent, ``failed`` will be again, ``exhausted`` will not."""

        PENDING = "pending"
        FAILED = "failed"
        DELIVERED = "delivered"
        EXHAUSTED = "exhausted"

    class Kind(models.TextChoices):
        """``test`` goes out of line, once, whether the endpoint is paused or not."""

        EVENT = "event"
        REPLAY = "replay"
        TEST = "test"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, db_index=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.EVENT)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    retry_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_excerpt = models.CharField(max_length=1000, null=True, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True, default="")
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ("event_id", "id")
        indexes = (
            models.Index(
                fields=["endpoint", "event"], name="delivery_open", condition=Q(status__in=OPEN_STATES)
            ),
            models.Index(
                fields=["endpoint", "leased_until"],
                name="delivery_leased",
                condition=Q(leased_until__isnull=False),
            ),
            models.Index(fields=["endpoint", "created_at"], name="delivery_endpoint"),
            models.Index(fields=["created_at"], name="delivery_created"),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.status}"
