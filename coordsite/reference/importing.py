"""Taking the contents of the reference's database over: one transaction, repeatable, told row by row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction

from claims.locks import Locked, repository_locks
from claims.services.ending import settle_due
from claims.services.importing import KNOWN, TAKEN, import_claim, import_request, in_order
from common import clock
from common.errors import CoordError
from coordsite.reference.reading import Contents, Skipped
from ownership.selectors import current_revision
from ownership.services import save_document
from webhooks.models import Endpoint
from webhooks.services import ensure_environment, import_delivery

AUTHOR = "import-reference"
KINDS = ("claim", "request", "ownership", "delivery")


@dataclass(slots=True)
class Report:
    """How many rows of each kind were imported or known already, and each row that stays behind."""

    schema_version: int
    dry_run: bool
    imported: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    known: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    skipped: list[Skipped] = field(default_factory=list)

    def note(self, kind: str, id: str, what: str, outcome: str) -> None:
        """Count an outcome: imported, known, or the reason for staying behind."""
        if outcome == TAKEN:
            self.imported[kind] += 1
        elif outcome == KNOWN:
            self.known[kind] += 1
        else:
            self.skipped.append(Skipped(kind, id, what, outcome))

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)


def import_contents(contents: Contents, *, dry_run: bool = False) -> Report:
    """Import everything, or with ``dry_run`` find out what would be; what is here already is left alone."""
    report = Report(contents.version, dry_run, skipped=list(contents.skipped))
    with transaction.atomic():
        with repository_locks(list(contents.claims)) as locks:
            _import_claims(contents, locks, report)
            _import_ownership(contents.ownership, report)
        _import_deliveries(contents, report)
        if dry_run:
            transaction.set_rollback(True)
    return report


def _import_claims(contents: Contents, locks: dict[str, Locked], report: Report) -> None:
    repo_of = {}
    for repo, claims in contents.claims.items():
        if locks[repo].due:
            settle_due(locks[repo])
        for claim in in_order(claims):
            repo_of[claim.id] = repo
            report.note("claim", claim.id, claim.pattern, import_claim(locks[repo], claim))
    for request in sorted(contents.requests, key=lambda one: (one.created_at, one.id)):
        outcome = import_request(locks[repo_of[request.claim_id]], request)
        report.note("request", request.id, request.requested_pattern, outcome)


def _import_ownership(text: str, report: Report) -> None:
    """The document comes into force only where none is: two documents are for people to merge."""
    if not text.strip():
        return
    present = current_revision()
    if present is not None and present.text == text:
        outcome = KNOWN
    elif present is not None and present.text.strip():
        outcome = "another document is in force here: compare with GET /config/ownership and merge by hand"
    else:
        try:
            save_document(text=text, author=AUTHOR, reason="taken over from the reference")
            outcome = TAKEN
        except CoordError as error:
            outcome = error.detail
    report.note("ownership", "owners.yaml", "owners.yaml", outcome)


def _import_deliveries(contents: Contents, report: Report) -> None:
    if contents.deliveries and settings.COORD.webhook_url:
        ensure_environment(list(Endpoint.objects.all()), clock.now())
    for delivery in contents.deliveries:
        report.note("delivery", str(delivery.id), delivery.event_type, import_delivery(delivery))
