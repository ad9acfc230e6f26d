"""Rows of the core domain. All writes go through :mod:`claims.services`."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

OPEN = Q(released_at__isnull=True)


def new_id() -> str:
    """A fresh row id: a lowercase UUIDv4."""
    return str(uuid.uuid4())


class Repository(models.Model):
    """A bucket of claims, its lock and its counter.

    The row is the repository's lock (see :mod:`claims.locks`). ``counter`` numbers fences and places in
    line; it only grows. The repository that has no id is the row named ``""``.
    """

    name = models.CharField(max_length=200, unique=True, blank=True)
    counter = models.BigIntegerField(default=0, editable=False)
    case_insensitive = models.BooleanField(
        default=False, help_text="Treat patterns that differ only in case as one (macOS, Windows checkouts)."
    )
    checkout_path = models.CharField(
        max_length=1024,
        blank=True,
        default="",
        help_text="Checkout on this machine; names real files in overlaps.",
    )
    checkout_scope = models.CharField(
        max_length=1024, blank=True, default="", help_text="Pathspec that limits the checkout's files."
    )
    max_claim_files = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Most tracked files one pattern may cover; empty: the service's setting.",
    )
    max_claim_ratio = models.FloatField(
        null=True,
        blank=True,
        help_text="Largest share of the files one call may cover; empty: the service's setting.",
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "repositories"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name or "(no repository)"


class Restore(models.Model):
    """A time at which the database was put back to an earlier state.

    ``floor`` is where the counters of repositories begin that are made afterwards: above every fence that
    was given between the backup and the restore.
    """

    restored_at = models.DateTimeField()
    floor = models.BigIntegerField()

    def __str__(self) -> str:
        return f"restored {self.restored_at:%Y-%m-%d %H:%M}"


class Claim(models.Model):
    """A lease on a scope. Live while ``released_at`` is empty and its time has not run out.

    ``pattern`` is canonical; ``prefix`` and ``tail`` are what candidates are found by. ``shortened_from``
    is the expiry that an open release request cut short, restored when it is denied.
    """

    class Type(models.TextChoices):
        FILE = "file", "File"
        MODULE = "module", "Module"
        SHARED_FILE = "shared_file", "Shared file"

    class Scope(models.TextChoices):
        FILE = "file", "File"
        SYMBOL = "symbol", "Symbol"

    class End(models.TextChoices):
        RELEASED = "released", "Released"
        SESSION = "session", "Session ended"
        EXPIRED = "expired", "Lease ran out"
        IDLE = "idle", "No sign of life"
        APPROVED = "approved", "Release request approved"
        NARROWED = "narrowed", "Narrowed"
        OPERATOR = "operator", "Released by an operator"
        HANDED = "handed", "Handed to somebody else"

    id = models.CharField(primary_key=True, max_length=36, default=new_id, editable=False)
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="claims")
    engineer = models.CharField(max_length=200)
    session_id = models.CharField(max_length=200, null=True, blank=True)
    branch = models.CharField(max_length=300, null=True, blank=True)
    description = models.CharField(max_length=2000, null=True, blank=True)
    claim_type = models.CharField(max_length=16, choices=Type.choices, default=Type.FILE)
    pattern = models.CharField(max_length=1100)
    prefix = models.CharField(max_length=1100, editable=False)
    tail = models.CharField(max_length=64, editable=False)
    scope_type = models.CharField(max_length=8, choices=Scope.choices, default=Scope.FILE)
    narrowable = models.BooleanField(default=True)
    severity = models.CharField(max_length=4, choices=[("soft", "Soft"), ("hard", "Hard")], default="soft")
    fence = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_activity = models.DateTimeField(null=True, blank=True)
    shortened_from = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=10, choices=End.choices, blank=True, default="")

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(fields=["repository", "fence"], name="claim_fence_once"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, end_reason="")
                | (Q(released_at__isnull=False) & ~Q(end_reason="")),
                name="claim_end_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["repository", "prefix", "tail"], condition=OPEN, name="claim_open_prefix"),
            # With the scope, so that the symbol claims of one file are not read in search of file claims.
            models.Index(
                fields=["repository", "tail", "prefix", "scope_type"], condition=OPEN, name="claim_open_tail"
            ),
            models.Index(fields=["repository", "expires_at"], condition=OPEN, name="claim_open_expiry"),
            models.Index(fields=["expires_at", "id"], condition=OPEN, name="claim_open_ends"),
            models.Index(
                fields=["repository", "last_activity"],
                condition=Q(released_at__isnull=True, last_activity__isnull=False),
                name="claim_open_idle",
            ),
            models.Index(fields=["session_id", "last_activity"], condition=OPEN, name="claim_open_session"),
            models.Index(fields=["engineer"], condition=OPEN, name="claim_open_engineer"),
            models.Index(F("created_at").desc(), F("id").desc(), name="claim_newest"),
            models.Index(fields=["repository", "created_at"], name="claim_repo_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.engineer}: {self.pattern}"


class HoldingSession(Claim):
    """A session with live claims, for lists of sessions: see :func:`claims.selectors.sessions`."""

    class Meta:
        proxy = True
        verbose_name = "session"

    def __str__(self) -> str:
        return f"{self.session_id} of {self.engineer}"


class ClaimSymbol(models.Model):
    """One symbol path of a symbol claim. ``open`` mirrors the claim's end, for the candidate index."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="symbols")
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT)
    path = models.CharField(max_length=512)
    prefix = models.CharField(max_length=1100)
    open = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claim", "path"], name="claim_symbol_once")]
        indexes = [
            models.Index(
                fields=["repository", "path", "prefix"], condition=Q(open=True), name="claim_symbol_open_path"
            )
        ]

    def __str__(self) -> str:
        return self.path


class Partnership(models.Model):
    """Two claims that coexist on ``pattern`` (and ``symbols`` of it), and on nothing else."""

    class Kind(models.TextChoices):
        AUTO_COEXIST = "auto-coexist", "Disjoint symbols"
        AUTO_NARROW = "auto-narrow", "Symbol inside a narrowable claim"
        COEXIST = "coexist", "Agreed by the holder"
        SHARED = "shared", "Shared by the ownership document"

    holder = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="partners_here")
    partner = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="partners_there")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    pattern = models.CharField(max_length=1100)
    symbols = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["holder", "partner", "kind", "pattern"], name="partnership_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.pattern}"


class ReleaseRequest(models.Model):
    """A question to a holder: will you give this up? At most one is open per party and claim."""

    class Decision(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        DENIED = "denied", "Denied"
        NARROWED = "narrowed", "Narrowed"
        COEXIST = "coexist", "Coexist"
        EXPIRED = "expired", "Lease ran out"
        RESOLVED = "resolved", "Claim ended"

    id = models.CharField(primary_key=True, max_length=36, default=new_id, editable=False)
    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="requests")
    requester_engineer = models.CharField(max_length=200)
    requester_session_id = models.CharField(max_length=200, null=True, blank=True)
    requested_pattern = models.CharField(max_length=1100)
    requested_scope = models.CharField(max_length=1024, null=True, blank=True)
    reason = models.CharField(max_length=2000, null=True, blank=True)
    urgency = models.CharField(max_length=16, default="normal")
    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.PENDING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_engineer = models.CharField(max_length=200, null=True, blank=True)
    decided_by_session_id = models.CharField(max_length=200, null=True, blank=True)
    note = models.CharField(max_length=2000, null=True, blank=True)
    original_expires_at = models.DateTimeField()
    shortened_expires_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["claim", "requester_engineer", "requester_session_id"],
                condition=Q(decision="pending"),
                name="request_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["claim", "decision"], name="request_of_claim"),
            models.Index(fields=["requester_engineer", "created_at"], name="request_by_requester"),
            models.Index(F("created_at").desc(), name="request_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.requester_engineer} asks for {self.requested_pattern}"


class StoredAnswer(models.Model):
    """The answer given under an idempotency key, kept so that a retry hears the same.

    ``status`` 0 means the first call is still being answered. Once it is replayed somebody knows it, even
    when the first caller is gone.
    """

    caller = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="stored_answer_once")]
        indexes = [models.Index(fields=["created_at"], name="stored_answer_age")]

    def __str__(self) -> str:
        return self.key
