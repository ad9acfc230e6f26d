"""What the pages' templates need beside Django's own: moments that tick, names, links to records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from claims.models import Claim
from common import clock
from coordsite.dashboard.lifelines import lifeline
from webhooks.models import Event

register = template.Library()


@register.inclusion_tag("dashboard/parts/moment.html")
def since(moment: datetime | None) -> dict[str, Any]:
    """A past moment; the page's script shows how long ago it was."""
    return {"moment": moment, "iso": clock.iso(moment), "kind": "since"}


@register.inclusion_tag("dashboard/parts/moment.html")
def until(moment: datetime | None) -> dict[str, Any]:
    """A moment to come; the page's script counts down to it."""
    return {"moment": moment, "iso": clock.iso(moment), "kind": "until"}


@register.filter
def repository(name: str | None) -> str:
    """A repository's name, or words for the one that has none."""
    return name or "no repository"


@register.filter
def span(length: timedelta | None) -> str:
    """A length of time in its two largest units: ``3 h 12 min``."""
    if length is None:
        return ""
    seconds = max(0, int(length.total_seconds()))
    for size, name, below, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // below
            return f"{seconds // size} {name}" + (f" {rest} {small}" if rest else "")
    return f"{seconds} s"


@register.inclusion_tag("dashboard/parts/lifeline.html")
def claim_lifeline(claim: Claim, events: Sequence[Event]) -> dict[str, Any]:
    """The picture of a claim's life, from its events, oldest first."""
    picture = lifeline(claim.created_at, claim.released_at, claim.expires_at, clock.now(), events)
    return {"picture": picture, "claim": claim}


@register.simple_tag
def record_url(model: str, key: Any = None) -> str:
    """Where admin shows a record (``claims_claim``, its key), or the list without a key; empty if nowhere."""
    if not model:
        return ""
    try:
        if key in (None, ""):
            return reverse(f"admin:{model}_changelist")
        return reverse(f"admin:{model}_change", args=[key])
    except NoReverseMatch:
        return ""
