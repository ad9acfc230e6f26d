"""Reading the event log as a client would: from a state, over the events, to the present state.

``State.now()`` is the present one from the database, ``State.replayed(after, start)`` the one that the
events after a sequence number lead to. They must be equal, or the log keeps something from its readers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from claims.models import Claim, Partnership, ReleaseRequest, Repository
from claims.services.repositories import SETTINGS
from common import clock
from coordsite.models import Token
from ownership.models import Revision
from queueing.models import Ticket
from webhooks import selectors
from webhooks.models import Endpoint, Event

ENDED = ("claim_released", "claim_expired", "claim_idle", "claim_narrowed", "claim_transferred")
OVER = {"queue_grant": "granted", "queue_cancel": "cancelled", "queue_expire": "expired"}


@dataclass
class State:
    """What a reader of the log can know: who holds, asks and waits, and the operators' settings."""

    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    partners: set[tuple[str, str]] = field(default_factory=set)
    requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    tickets: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, tuple[str, bool]] = field(default_factory=dict)
    revision: int = 0
    ended: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False)

    @classmethod
    def now(cls) -> State:
        """The present state."""
        open_claims = Claim.objects.filter(released_at__isnull=True).select_related("repository")
        links = Partnership.objects.filter(
            holder__released_at__isnull=True, partner__released_at__isnull=True
        )
        newest = Revision.objects.order_by("-id").first()
        return cls(
            claims={claim.id: _claim_of(claim) for claim in open_claims},
            partners={_pair(*ids) for ids in links.values_list("holder_id", "partner_id")},
            requests={row.id: (row.claim_id, row.decision) for row in ReleaseRequest.objects.order_by("id")},
            tickets={row.id: (row.repo, row.engineer, row.state) for row in Ticket.objects.order_by("id")},
            repositories=_edited_repositories(),
            endpoints={str(row.id): row.url for row in Endpoint.objects.all()},
            tokens={row.id: (row.engineer, row.revoked_at is not None) for row in Token.objects.all()},
            revision=newest.pk if newest else 0,
        )

    @classmethod
    def replayed(cls, after: int | None = None, start: State | None = None) -> State:
        """The state that the events after a sequence number lead to, from the state at that number."""
        state = copy.deepcopy(start) if start is not None else cls()
        while page := selectors.events_after(after, limit=1000).events:
            for event in page:
                state.apply(event)
            after = page[-1].seq
        state.partners = {pair for pair in state.partners if set(pair) <= set(state.claims)}
        return state

    def apply(self, event: Event) -> None:
        """One step. A type without a step here must change nothing that is replayed."""
        kind, detail = event.event_type, event.detail
        if kind == "claim_granted":
            self._granted(event)
        elif kind in ENDED:
            # Kept: a narrowed claim lives on in its successor.
            self.ended[detail["claim_id"]] = self.claims.pop(detail["claim_id"])
        elif kind in ("claim_extended", "lease_shortened", "lease_restored"):
            self.claims[detail["claim_id"]]["expires_at"] = detail["expires_at"]
        elif kind in ("auto-coexist", "auto-narrow", "claim_coexist"):
            self._coexist(event)
        elif kind == "filed":
            self.requests[str(event.request_id)] = (detail["claim_id"], "pending")
        elif kind in ("responded", "expired", "resolved"):
            self._answered(event)
        elif kind.startswith("queue_"):
            state = {"queue_enqueue": "waiting", "queue_offer": "offered", "queue_withdraw": "waiting"}
            word = (state | OVER)[kind]
            self.tickets[str(event.ticket_id)] = (event.repo, str(event.actor_engineer), word)
        else:
            self._operated(event)

    def _granted(self, event: Event) -> None:
        detail = event.detail
        for claim in detail["claims"]:
            self.claims[claim["id"]] = {
                "repo": event.repo,
                "engineer": detail["engineer"],
                "session_id": detail["session_id"],
                **{name: claim[name] for name in ("pattern", "fence", "expires_at")},
                "symbols": _sorted(claim["symbols"]),
            }
            self.partners |= {_pair(claim["id"], other) for other in detail.get("partner_claim_ids", ())}

    def _coexist(self, event: Event) -> None:
        detail = event.detail
        self.partners.add(_pair(detail["holder_claim_id"], detail["requester_claim_id"]))
        if "coexist_pattern" in detail:
            self.claims[detail["requester_claim_id"]] = {
                "repo": event.repo,
                "engineer": event.actor_engineer,
                "session_id": event.actor_session_id,
                "pattern": detail["coexist_pattern"],
                **{name: detail[name] for name in ("fence", "expires_at")},
                "symbols": _sorted(detail["symbols"]),
            }

    def _answered(self, event: Event) -> None:
        detail, request_id = event.detail, str(event.request_id)
        decision = detail.get("decision", event.event_type)
        self.requests[request_id] = (self.requests[request_id][0], decision)
        if decision == "narrowed":
            new = detail["new_claim_id"]
            self.claims[new] = {
                **self.ended[detail["original_claim_id"]],
                "pattern": detail["narrowed_pattern"],
                "fence": detail["fence"],
                "expires_at": detail["expires_at"],
            }
            self.partners |= {_pair(new, other) for other in detail["partner_claim_ids"]}

    def _operated(self, event: Event) -> None:
        kind, detail = event.event_type, event.detail
        if kind in ("endpoint_created", "endpoint_edited"):
            self.endpoints[detail["endpoint_id"]] = detail["url"]
        elif kind == "endpoint_deleted":
            del self.endpoints[detail["endpoint_id"]]
        elif kind in ("token_created", "token_rotated", "token_revoked"):
            self.tokens[detail["token_id"]] = (detail["engineer"], kind == "token_revoked")
        elif kind == "repository_edited":
            for name, (_, after) in detail["changes"].items():
                self.repositories.setdefault(event.repo, {})[name] = after
        elif kind in ("ownership_edited", "auto-promote", "auto-demote", "pinned"):
            self.revision = detail["revision"]


def _claim_of(claim: Claim) -> dict[str, Any]:
    return {
        "repo": claim.repository.name,
        "engineer": claim.engineer,
        "session_id": claim.session_id,
        "pattern": claim.pattern,
        "fence": claim.fence,
        "expires_at": clock.iso(claim.expires_at),
        "symbols": sorted(claim.symbols.values_list("path", flat=True)) or None,
    }


def _sorted(symbols: list[str] | None) -> list[str] | None:
    return sorted(symbols) if symbols else None


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _edited_repositories() -> dict[str, dict[str, Any]]:
    """The settings that differ from a new repository's."""
    found = {}
    for row in Repository.objects.all():
        fresh = Repository(name=row.name)
        differs = {
            name: getattr(row, name) for name in SETTINGS if getattr(row, name) != getattr(fresh, name)
        }
        if differs:
            found[row.name] = differs
    return found
