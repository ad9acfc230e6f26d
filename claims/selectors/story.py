"""A claim's whole story: what happened, who asked, who waits, beside whom."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from claims.models import Claim, Partnership, ReleaseRequest
from claims.places import Standing, read_line
from claims.waits import item_of
from common import clock
from webhooks.models import Event

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Beside:
    """A claim that coexists, and on what."""

    claim: Claim
    link: Partnership


@dataclass(frozen=True, slots=True)
class Story:
    """Everything about one claim, each list oldest first and at most 200 long."""

    claim: Claim
    symbols: list[str]
    events: list[Event]
    requests: list[ReleaseRequest]
    waiting: list[Standing]
    partners: list[Beside]


def story_of(claim_id: str) -> Story | None:
    """The claim's story; ``None`` for an unknown claim. Reads only."""
    claim = Claim.objects.select_related("repository").prefetch_related("symbols").filter(id=claim_id).first()
    if claim is None:
        return None
    newest = Event.objects.filter(claim_id=claim.id).order_by("-seq")[:MOST_ROWS]
    asked = claim.requests.order_by("-created_at")[:MOST_ROWS]
    return Story(
        claim=claim,
        symbols=sorted(symbol.path for symbol in claim.symbols.all()),
        events=list(newest)[::-1],
        requests=list(asked)[::-1],
        waiting=_waiting_for(claim) if claim.released_at is None else [],
        partners=_beside(claim),
    )


def _waiting_for(claim: Claim) -> list[Standing]:
    """Who stands in line for something that this claim holds, in serving order."""
    folded = claim.repository.case_insensitive
    held = item_of(claim, case_insensitive=folded)
    line = read_line(claim.repository.name, clock.now(), case_insensitive=folded)
    return [
        one for one in line.meeting([held.pattern]) if any(item.clashes(held) for item in one.request.items)
    ][:MOST_ROWS]


def _beside(claim: Claim) -> list[Beside]:
    links = Partnership.objects.filter(Q(holder=claim) | Q(partner=claim))
    links = links.select_related("holder", "partner").order_by("id")[:MOST_ROWS]
    return [Beside(link.partner if link.holder_id == claim.id else link.holder, link) for link in links]
