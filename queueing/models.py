"""Tickets: places in line. All writes go through :mod:`queueing.services`."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

IN_LINE = ("waiting", "offered")
LEFT = "-"
"""In place of the serving process: it stopped, and the waiter is expected to come back."""


def new_id() -> str:
    """A fresh ticket id: a lowercase UUIDv4."""
    return str(uuid.uuid4())


class Ticket(models.Model):
    """A waiter's place in a repository's line. What it waits for is opaque here (``request``).

    ``place`` is the arrival number, from the repository's counter. A ticket is *present* while both
    ``alive_until`` (kept up by the process that serves the waiter) and ``expires_at`` (the end of its
    wait) lie ahead. An *offered* ticket holds its scope until ``offer_until``.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        OFFERED = "offered", "Offered"
        GRANTED = "granted", "Granted"
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Cancelled"

    class Urgency(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"
        BLOCKING = "blocking", "Blocking"

    id = models.CharField(primary_key=True, max_length=36, default=new_id, editable=False)
    repo = models.CharField(max_length=200, blank=True)
    place = models.BigIntegerField()
    engineer = models.CharField(max_length=200)
    session_id = models.CharField(max_length=200, null=True, blank=True)
    caller = models.CharField(max_length=200, help_text="The credential that limits are counted for.")
    urgency = models.CharField(max_length=8, choices=Urgency.choices, default=Urgency.NORMAL)
    request = models.JSONField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    passed_over = models.PositiveIntegerField(default=0)
    front = models.BooleanField(default=False, help_text="Put first by an operator.")
    enqueued_at = models.DateTimeField()
    alive_until = models.DateTimeField()
    expires_at = models.DateTimeField()
    offer_until = models.DateTimeField(null=True, blank=True)
    server = models.CharField(max_length=200, blank=True, default="")
    result = models.JSONField(null=True, blank=True)
    end_reason = models.CharField(max_length=16, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("repo", "place")
        constraints = [models.UniqueConstraint(fields=["repo", "place"], name="ticket_place_once")]
        indexes = [
            models.Index(fields=["repo", "place"], condition=Q(state__in=IN_LINE), name="ticket_in_line"),
            models.Index(fields=["engineer", "state"], name="ticket_engineer"),
            models.Index(fields=["session_id", "state"], name="ticket_session"),
            models.Index(fields=["ended_at"], name="ticket_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.engineer} at place {self.place}"
