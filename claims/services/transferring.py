"""Handing a claim to somebody else."""

from __future__ import annotations

from claims.locks import Locked, repository_lock
from claims.models import Claim, Partnership
from claims.parties import Party
from claims.scopes import read_pattern
from claims.services import draining
from claims.services.ending import By, End, end_claims, repository_of, settle_due
from claims.services.granting import granted_event
from claims.services.succeeding import partners_of, succeed
from claims.verdicts import Question, judge
from claims.waits import item_of
from common.caller import Caller
from common.errors import Conflict, NotFound
from ownership.selectors import current_rules
from webhooks.services import record


def transfer_claim(
    claim_id: str, caller: Caller, *, engineer: str, session_id: str | None = None, reason: str
) -> Claim:
    """Let another party hold a live claim's scope, with the lease it has, under a new fence.

    The old holder's fence is stale from then on, its session hears that it lost the lease, and open
    release requests are resolved. Emits ``claim_transferred`` for the old claim and ``claim_granted`` for
    the new one, both with the operator's name. Raises :class:`NotFound`, and :class:`Conflict` when the
    claim has ended, is that party's already, or overlaps what the old holder keeps.
    """
    repo = repository_of(claim_id)
    if repo is None or not caller.sees(repo):
        raise NotFound("Claim not found.", next="Look at the list of claims.")
    with repository_lock(repo, numbers=1) as locked:
        if locked.due:
            settle_due(locked)
        old = Claim.objects.filter(id=claim_id, released_at__isnull=True).first()
        party = Party(engineer, session_id)
        if old is None:
            raise Conflict("The claim is no longer active.", next="Claim the scope for its new holder.")
        _check_free(locked, old, party)
        by = By(operator=caller.name, reason=reason)
        end_claims(locked, [old.id], End.HANDED, by, drain=False)
        pattern = read_pattern(old.pattern, case_insensitive=locked.case_insensitive)
        new = succeed(locked, old, pattern, engineer=engineer, session_id=session_id)
        symbols = {new.id: list(new.symbols.values_list("path", flat=True))}
        more = {"transferred_from": old.id, "partner_claim_ids": partners_of(new)}
        record(granted_event(repo, party, [new], symbols=symbols, operator=caller.name, **more))
        draining.drain(locked)
        return new


def _check_free(locked: Locked, old: Claim, party: Party) -> None:
    """Refuse what would leave two parties on one scope. Partners of the old claim stay partners."""
    if party.is_same(old.engineer, old.session_id):
        raise Conflict(f"{party.label} holds this claim already.", next="Choose another engineer.")
    item = item_of(old, case_insensitive=locked.case_insensitive)
    shared = current_rules().shared(locked.name, case_insensitive=locked.case_insensitive)
    question = Question(
        locked.id, locked.now, party, locked.case_insensitive, shared=shared, ignore_claims=(old.id,)
    )
    links = Partnership.objects.filter(holder=old).values_list("partner_id", flat=True)
    partners = {*links, *Partnership.objects.filter(partner=old).values_list("holder_id", flat=True)}
    for conflict in judge(question, (item,)).conflicts:
        if conflict.holder.id not in partners:
            raise Conflict(
                f"{conflict.holder.party.label} also holds '{conflict.holder.pattern}', which overlaps it.",
                next="Transfer or release that claim first.",
            )
