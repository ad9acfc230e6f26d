"""A claim that takes another's place under a new fence: narrowed, or handed to somebody else."""

from __future__ import annotations

from typing import Any

from claims.locks import Locked
from claims.models import Claim, ClaimSymbol, Partnership
from claims.scopes import read_pattern
from ownership.selectors import current_rules
from patterns import Pattern, overlaps


def succeed(locked: Locked, old: Claim, pattern: Pattern, **changes: Any) -> Claim:
    """Write the successor of an ended claim on ``pattern``; ``changes`` are fields that differ.

    It keeps the lease (as it was before a request cut it), symbols, narrowability and, where they meet
    the pattern, partners. The caller holds the lock, has ended ``old`` and records the events.
    """
    fields = {
        "engineer": old.engineer,
        "session_id": old.session_id,
        "branch": old.branch,
        "description": old.description,
        **changes,
    }
    new = Claim.objects.create(
        repository_id=locked.id,
        claim_type=old.claim_type,
        pattern=pattern.text,
        prefix=pattern.prefix,
        tail=pattern.tail,
        scope_type=old.scope_type,
        narrowable=old.narrowable,
        severity=current_rules().severity(locked.name, pattern),
        fence=locked.next_number(),
        created_at=locked.now,
        expires_at=old.shortened_from or old.expires_at,
        last_activity=locked.now if fields["session_id"] else None,
        **fields,
    )
    ClaimSymbol.objects.bulk_create(
        ClaimSymbol(claim=new, repository_id=locked.id, path=path, prefix=new.prefix)
        for path in old.symbols.values_list("path", flat=True)
    )
    _keep_partners(locked, old, new, pattern)
    return new


def partners_of(claim: Claim) -> list[str]:
    """The claims that a claim coexists with, whether they are live or not."""
    here = claim.partners_here.values_list("partner_id", flat=True)
    return sorted({*here, *claim.partners_there.values_list("holder_id", flat=True)})


def _keep_partners(locked: Locked, old: Claim, new: Claim, pattern: Pattern) -> None:
    kept = []
    for link in [*old.partners_here.all(), *old.partners_there.all()]:
        scope = read_pattern(link.pattern, case_insensitive=locked.case_insensitive)
        if overlaps(scope, pattern):
            holds = link.holder_id == old.id
            kept.append(
                Partnership(
                    holder_id=new.id if holds else link.holder_id,
                    partner_id=link.partner_id if holds else new.id,
                    kind=link.kind,
                    pattern=link.pattern,
                    symbols=link.symbols,
                    created_at=locked.now,
                )
            )
    Partnership.objects.bulk_create(kept, ignore_conflicts=True)
