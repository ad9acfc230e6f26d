"""Listings: claims, repositories, automatic resolutions."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import TruncDate

from claims.locks import idle_cutoff
from claims.models import Claim, Partnership, Repository
from common import clock
from common.caller import Caller
from common.errors import Invalid
from common.rows import batches
from webhooks.models import Event
from webhooks.types import EventType


@dataclass(frozen=True, slots=True)
class ClaimFilter:
    """What to list. ``repo`` ``None`` is every repository; ``""`` the one without an id."""

    active_only: bool = True
    engineer: str | None = None
    module: str | None = None
    repo: str | None = None
    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of claims, and the cursor of the next one."""

    claims: list[Claim]
    next_cursor: str | None


def live(now: datetime, claim: str = "") -> Q:
    """Claims that are live at ``now``, whether a sweep has run or not; ``claim`` is the path to the claim
    in a query of another model (``claims__``).
    """
    held = Q(**{f"{claim}released_at__isnull": True, f"{claim}expires_at__gt": now})
    never_idle = Q(**{f"{claim}last_activity__isnull": True})
    return held & (never_idle | Q(**{f"{claim}last_activity__gt": idle_cutoff(now)}))


def list_claims(wanted: ClaimFilter, caller: Caller) -> Page:
    """Active claims by the end of their lease, or all claims newest first; the caller's repositories only."""
    claims = seen_by(caller, Claim.objects.select_related("repository"))
    if wanted.repo is not None:
        claims = claims.filter(repository__name=wanted.repo)
    if wanted.engineer:
        claims = claims.filter(engineer=wanted.engineer)
    if wanted.module:
        claims = claims.filter(pattern__icontains=wanted.module)
    if wanted.active_only:
        claims = claims.filter(live(clock.now())).order_by("expires_at", "id")
    else:
        claims = claims.order_by("-created_at", "-id")
    claims = _after(claims, wanted)
    if wanted.limit is None:
        return Page(list(claims), None)
    rows = list(claims[: wanted.limit + 1])
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    return Page(rows, _cursor(rows[-1], wanted.active_only) if more else None)


def claim_by_id(claim_id: str, caller: Caller) -> Claim | None:
    """One claim, if the caller may see it."""
    return seen_by(caller, Claim.objects.select_related("repository")).filter(id=claim_id).first()


def partners_of(claims: Sequence[Claim]) -> dict[str, list[str]]:
    """The live partners of each claim: whom it coexists with now."""
    ids = [claim.id for claim in claims]
    found: dict[str, list[str]] = defaultdict(list)
    now = clock.now()
    for chunk in batches(ids):
        links = Partnership.objects.filter(Q(holder_id__in=chunk) | Q(partner_id__in=chunk)).filter(
            live(now, "holder__"), live(now, "partner__")
        )
        for holder, partner in links.order_by("id").values_list("holder_id", "partner_id"):
            for one, other in ((holder, partner), (partner, holder)):
                if other not in found[one]:
                    found[one].append(other)
    return {claim_id: found[claim_id] for claim_id in ids if found.get(claim_id)}


def list_repos(caller: Caller) -> list[dict[str, Any]]:
    """One row per repository with an id, the busiest first."""
    now = clock.now()
    day = now - timedelta(hours=24)
    rows = _repositories(caller).annotate(
        last_activity=Max("claims__created_at"),
        claims_24h=Count("claims", filter=Q(claims__created_at__gte=day)),
        engineers_24h=Count("claims__engineer", distinct=True, filter=Q(claims__created_at__gte=day)),
        active_claims=Count(
            "claims",
            filter=live(now, "claims__"),
        ),
    )
    resolved = _resolved_since(day)
    listed = [
        {
            "repo": row.name,
            "last_activity": clock.iso(row.last_activity),
            "claims_24h": row.claims_24h,
            "engineers_24h": row.engineers_24h,
            "active_claims": row.active_claims,
            "auto_resolutions_24h": {
                "auto_coexist": resolved.get((row.name, EventType.AUTO_COEXIST), 0),
                "auto_narrow": resolved.get((row.name, EventType.AUTO_NARROW), 0),
            },
        }
        for row in rows
        if row.last_activity is not None
    ]
    return sorted(listed, key=lambda r: (-r["active_claims"], -r["claims_24h"], r["repo"]))


def auto_resolutions(days: int, repo: str | None, caller: Caller) -> list[dict[str, Any]]:
    """Automatic resolutions per repository and day; empty days are left out."""
    since = clock.now() - timedelta(days=days)
    events = Event.objects.filter(
        event_type__in=(EventType.AUTO_COEXIST, EventType.AUTO_NARROW), created_at__gte=since
    )
    if repo is not None:
        events = events.filter(repo=repo)
    if caller.repositories is not None:
        events = events.filter(repo__in=caller.repositories)
    rows = (
        events.annotate(date=TruncDate("created_at", tzinfo=UTC))
        .values("repo", "date")
        .annotate(
            auto_coexist=Count("seq", filter=Q(event_type=EventType.AUTO_COEXIST)),
            auto_narrow=Count("seq", filter=Q(event_type=EventType.AUTO_NARROW)),
        )
    )
    return [
        {
            "repo": row["repo"] or None,
            "date": row["date"].isoformat(),
            "auto_coexist": row["auto_coexist"],
            "auto_narrow": row["auto_narrow"],
        }
        for row in rows.order_by("repo", "date")
    ]


def seen_by(caller: Caller, claims: QuerySet[Claim]) -> QuerySet[Claim]:
    """Those of the claims that lie within the caller's repositories."""
    if caller.repositories is None:
        return claims
    return claims.filter(repository__name__in=caller.repositories)


def _repositories(caller: Caller) -> QuerySet[Repository]:
    rows = Repository.objects.exclude(name="")
    return rows if caller.repositories is None else rows.filter(name__in=caller.repositories)


def _resolved_since(since: datetime) -> dict[tuple[str, str], int]:
    rows = Event.objects.filter(
        event_type__in=(EventType.AUTO_COEXIST, EventType.AUTO_NARROW), created_at__gte=since
    )
    counted = rows.values_list("repo", "event_type").annotate(n=Count("seq"))
    return {(repo, kind): n for repo, kind, n in counted}


def _cursor(claim: Claim, active_only: bool) -> str:
    moment = claim.expires_at if active_only else claim.created_at
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{claim.id}".encode()).decode()


def _after(claims: QuerySet[Claim], wanted: ClaimFilter) -> QuerySet[Claim]:
    if wanted.cursor is None:
        return claims
    try:
        moment, claim_id = base64.urlsafe_b64decode(wanted.cursor.encode()).decode().split("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise Invalid("cursor is not one of ours", next="Start again without cursor.") from error
    if wanted.active_only:
        return claims.filter(Q(expires_at__gt=at) | Q(expires_at=at, id__gt=claim_id))
    return claims.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=claim_id))
