"""Settings of one repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claims import checkout
from claims.locks import repository_lock
from claims.models import Claim, Repository
from claims.names import BadRepo, fold_repo
from common import clock
from common.caller import Caller
from common.errors import Conflict, Invalid
from queueing.models import IN_LINE, Ticket
from webhooks.services import record
from webhooks.types import EventType, NewEvent

SETTINGS = ("case_insensitive", "checkout_path", "checkout_scope", "max_claim_files", "max_claim_ratio")


def edit_repository(name: str, caller: Caller, changes: Mapping[str, Any]) -> Repository:
    """Set some of :data:`SETTINGS`; make the repository's row if nobody has claimed in it yet.

    Emits ``repository_edited`` with what was and what is, unless nothing changes. Raises
    :class:`Invalid` for a name that is none, :class:`Conflict` for a new case mode while anybody holds
    or waits for something there: their patterns were read in the old one.
    """
    try:
        name = fold_repo(name) if name else ""
    except BadRepo as error:
        raise Invalid(f"repo: {error}", next="Use owner/name.") from error
    with repository_lock(name) as locked:
        row = Repository.objects.get(id=locked.id)
        before = {key: getattr(row, key) for key in SETTINGS}
        after = {key: changes.get(key, value) for key, value in before.items()}
        if after == before:
            return row
        if after["case_insensitive"] != before["case_insensitive"]:
            _refuse_while_used(row)
        Repository.objects.filter(id=row.id).update(**after)
        differs = {key: [before[key], after[key]] for key in SETTINGS if before[key] != after[key]}
        record(NewEvent(EventType.REPOSITORY_EDITED, name, operator=caller.name, detail={"changes": differs}))
        row.refresh_from_db()
    checkout.forget()
    return row


def _refuse_while_used(row: Repository) -> None:
    held = Claim.objects.filter(repository=row, released_at__isnull=True, expires_at__gt=clock.now())
    if held.exists() or Ticket.objects.filter(repo=row.name, state__in=IN_LINE).exists():
        raise Conflict(
            "The case mode cannot change while somebody holds or waits for something in the repository.",
            next="Release its claims first, or wait for them to end.",
        )
