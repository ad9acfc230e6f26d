"""What the pages' templates need beside Django's own: moments that tick, names, links to records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.admin.utils import quote
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format

from claims.models import Claim
from common import clock
from coordsite.dashboard.lifelines import lifeline
from webhooks.models import Event

register = template.Library()


KEPT_MOMENTS = 4096


@register.simple_tag
def since(moment: datetime | None) -> str:
    """A past moment; the page's script shows how long ago it was."""
    return _moment("since", moment)


@register.simple_tag
def until(moment: datetime | None) -> str:
    """A moment to come; the page's script counts down to it."""
    return _moment("until", moment)


@register.filter
@lru_cache(maxsize=KEPT_MOMENTS)
def written(moment: datetime, form: str) -> str:
    """Django's ``date``, drawn once per moment."""
    return date_format(moment, form)


@lru_cache(maxsize=KEPT_MOMENTS)
def _moment(kind: str, moment: datetime | None) -> str:
    """Drawn once: a page has a hundred, nearly all of them the same the next time."""
    context = {"moment": moment, "iso": clock.iso(moment), "kind": kind}
    return render_to_string("dashboard/parts/moment.html", context)


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
    if key in (None, ""):
        return _address(f"{model}_changelist")
    return _address(f"{model}_change", _ANY_KEY).replace(_ANY_KEY, quote(str(key)))


_ANY_KEY = "any-key"


@lru_cache(maxsize=64)
def _address(page: str, *keys: str) -> str:
    """Where a page of admin is: the addresses are the process's own, and asking for one is slow."""
    try:
        return reverse(f"admin:{page}", args=keys)
    except NoReverseMatch:
        return ""
