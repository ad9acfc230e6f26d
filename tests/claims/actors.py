"""Named actors that claim through the services."""

from __future__ import annotations

from typing import Any

from claims.parties import Party
from claims.scopes import ClaimRequest, read_items
from claims.services import waiting
from claims.services.claiming import Outcome, Wait, claim_scopes
from claims.services.releasing import release_claims
from common.caller import Caller

ANYBODY = Caller(kind="shared", name="shared-token", operator=True)


class Actor:
    """An engineer with one session who claims, waits and releases."""

    def __init__(self, name: str, repo: str = "org/app") -> None:
        self.name = name
        self.repo = repo
        self.party = Party(name, f"session-{name}")

    def ask(self, *patterns: str, wait: float = 0, hold: float = 0, **fields: Any) -> Outcome:
        """Claim these patterns; with ``wait`` or ``hold`` stand in line when refused."""
        symbols = fields.pop("symbols", None)
        raw = [{"type": fields.pop("type", "file"), "pattern": p, "symbols": symbols} for p in patterns]
        request = ClaimRequest(
            fields.pop("repo", self.repo), self.party, read_items(raw, case_insensitive=False), **fields
        )
        return claim_scopes(request, ANYBODY, Wait(wait, hold, server=""))

    def hold(self, *patterns: str, **fields: Any) -> Outcome:
        """Claim these patterns, which must be free."""
        outcome = self.ask(*patterns, **fields)
        assert outcome.granted, outcome.conflicts
        return outcome

    def queue(self, *patterns: str, wait: float = 600, **fields: Any) -> str:
        """Stand in line for these patterns; returns the ticket's id."""
        outcome = self.ask(*patterns, wait=wait, **fields)
        assert outcome.ticket is not None, outcome
        return outcome.ticket.id

    def release(self, outcome: Outcome) -> int:
        """Release what was granted."""
        return len(release_claims([claim.id for claim in outcome.claims], ANYBODY, engineer=self.name))


def look(ticket_id: str, **how: Any) -> str:
    """What a waiter finds: its ticket's state, after picking an offer up."""
    return waiting.look(ticket_id, **how).state
