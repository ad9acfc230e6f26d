"""What an overview shows of claims and release requests. Every list is cut; what is live is told by time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, StrIndex, Substr

from claims.locks import idle_cutoff
from claims.models import Claim, ReleaseRequest, Repository
from claims.selectors.listing import live
from common.buckets import Hour
from common.filters import Filter

MOST_NAMES = 200
TOP = "(top level)"


@dataclass(frozen=True, slots=True)
class Module:
    """A first path segment and how much was claimed in it."""

    name: str
    claims: int
    engineers: int


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """What goes on in a repository."""

    name: str
    active: int
    claims_24h: int
    engineers_24h: int
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class Silent:
    """A session that holds claims and has not been heard of for more than half of the idle timeout.

    ``claim_id`` is one of them.
    """

    repo: str
    engineer: str
    session_id: str
    claim_id: str
    claims: int
    last_activity: datetime
    ends_at: datetime


def claims_seen(seen: Filter) -> QuerySet[Claim]:
    """Claims within a filter."""
    wanted = seen.on(
        repo="repository__name", engineers=("engineer",), texts=("pattern", "description", "branch")
    )
    return Claim.objects.filter(wanted)


def active_by_repository(seen: Filter, now: datetime) -> dict[str, int]:
    """How many claims are live, per repository."""
    if seen.engineer or seen.text:
        rows = claims_seen(seen).filter(live(now)).order_by().values_list("repository__name")
        return dict(rows.annotate(n=Count("id")))
    # Two walks over an index alone: leases that run, without the few whose holder fell silent. What an index
    # would be chosen by stands in the counts: a range of moments makes SQLite look every row up.
    open_claims, runs = Claim.objects.filter(released_at__isnull=True), Q(expires_at__gt=now)
    counted = _by_repository(open_claims, runs)
    silent = open_claims.filter(last_activity__isnull=False, last_activity__lte=idle_cutoff(now))
    for key, n in _by_repository(silent, runs).items():
        counted[key] -= n
    names = dict(
        Repository.objects.filter(seen.on(repo="name", engineers=(), texts=())).values_list("pk", "name")
    )
    return {names[key]: n for key, n in counted.items() if n and key in names}


def _by_repository(claims: QuerySet[Claim], such: Q) -> dict[int, int]:
    rows = claims.order_by().values_list("repository_id")
    return dict(rows.annotate(n=Count("repository_id", filter=such)))


def active_claims(seen: Filter, now: datetime, *, first: Collection[str], limit: int) -> list[Claim]:
    """Live claims: those in ``first`` before the others, then whose lease ends soonest."""
    found = claims_seen(seen).filter(live(now)).order_by("expires_at", "id")
    # Keys first: sorting whole rows costs several times as much.
    ids = list(found.filter(id__in=list(first)).values_list("id", flat=True)[:limit]) if first else []
    ids += found.exclude(id__in=ids).values_list("id", flat=True)[: limit - len(ids)]
    rows = Claim.objects.select_related("repository").prefetch_related("symbols").in_bulk(ids)
    return [rows[claim_id] for claim_id in ids if claim_id in rows]


def recent_claims(seen: Filter, *, limit: int) -> list[Claim]:
    """The newest claims, live or ended."""
    return list(claims_seen(seen).order_by("-created_at", "-id")[:limit])


def requests_seen(seen: Filter, *, since: datetime, limit: int) -> list[ReleaseRequest]:
    """Release requests made since a moment or still open, open ones first and oldest of those first."""
    wanted = seen.on(
        repo="claim__repository__name",
        engineers=("requester_engineer", "claim__engineer"),
        texts=("requested_pattern", "claim__pattern", "reason"),
    )
    # Not joined: SQLite may choose to begin with all claims.
    found = ReleaseRequest.objects.filter(wanted).prefetch_related("claim__repository")
    pending = list(found.filter(decision="pending").order_by("created_at", "id")[:limit])
    answered = found.exclude(decision="pending").filter(created_at__gte=since).order_by("-created_at", "id")
    return pending + list(answered[: limit - len(pending)])


def silent_holders(seen: Filter, now: datetime, *, limit: int) -> list[Silent]:
    """Sessions with live claims that may be gone, the longest silent first. None without an idle timeout."""
    seconds = settings.COORD.idle_timeout_sec
    if not seconds:
        return []
    half, cutoff = now - timedelta(seconds=seconds / 2), idle_cutoff(now)
    held = claims_seen(seen).filter(released_at__isnull=True)
    # Whole sessions first, from an index alone: there can be thousands of claims that nobody touched lately.
    named = held.filter(session_id__isnull=False).order_by().values("session_id")
    longest = named.annotate(last=Max("last_activity")).filter(last__gt=cutoff, last__lte=half)
    sessions = [
        one for one, _ in longest.order_by("last", "session_id").values_list("session_id", "last")[:limit]
    ]
    quiet = held.filter(
        Q(session_id__in=sessions) | Q(session_id__isnull=True),
        last_activity__gt=cutoff,
        last_activity__lte=half,
        expires_at__gt=now,
    )
    rows = (
        quiet.order_by()
        .values_list("repository__name", "engineer", "session_id")
        .annotate(
            claim=Max("id"),
            n=Count("id"),
            last=Max("last_activity"),
            ends=Min("expires_at"),
        )
        .order_by("last", "session_id")
    )
    idle = timedelta(seconds=seconds)
    return [
        Silent(repo, engineer, session or "", claim, n, last, min(ends, last + idle))
        for repo, engineer, session, claim, n, last, ends in rows[:limit]
    ]


def top_modules(seen: Filter, *, since: datetime, limit: int) -> list[Module]:
    """First path segments of the claims made since a moment, the busiest first."""
    slash = StrIndex("pattern", Value("/"))
    module = Case(When(pattern__contains="/", then=Substr("pattern", 1, slash - 1)), default=Value(TOP))
    rows = (
        claims_seen(seen)
        .filter(created_at__gte=since)
        .order_by()
        .annotate(module=module)
        .values_list("module")
        .annotate(n=Count("id"), engineers=Count("engineer", distinct=True))
        .order_by("-n", "module")
    )
    return [Module(*row) for row in rows[:limit]]


def claims_made(seen: Filter, *, since: datetime) -> dict[str, tuple[int, int]]:
    """How many claims were made since a moment, and by how many engineers, per repository."""
    rows = claims_seen(seen).filter(created_at__gte=since).order_by().values_list("repository__name")
    counted = rows.annotate(n=Count("id"), engineers=Count("engineer", distinct=True))
    return {name: (n, engineers) for name, n, engineers in counted}


def _used(seen: Filter) -> QuerySet[Any]:
    newest = Claim.objects.filter(repository=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    found = Repository.objects.annotate(last=Subquery(newest)).filter(last__isnull=False)
    return found if seen.repo is None else found.filter(name=seen.repo)


def repositories_used(seen: Filter) -> int:
    """How many repositories were ever claimed in."""
    return _used(seen).count()


def repository_rows(
    seen: Filter, active: Mapping[str, int], made: Mapping[str, tuple[int, int]], *, limit: int
) -> list[RepositoryRow]:
    """Repositories, those with most live claims first.

    ``active`` is :func:`active_by_repository`'s, ``made`` is :func:`claims_made`'s of a day.
    """
    names = list(_used(seen).order_by("-last").values_list("name", "last")[:MOST_NAMES])
    rows = [
        RepositoryRow(name, active.get(name, 0), *made.get(name, (0, 0)), last_activity=last)
        for name, last in names
    ]
    return sorted(rows, key=lambda row: (-row.active, -row.claims_24h, row.name))[:limit]


def claims_by_hour(seen: Filter, *, since: datetime, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """How many claims began and how many ended, per hour (``2026-11-23 12``) since a moment."""
    found = claims_seen(seen).order_by()
    began = found.filter(created_at__gte=since).values_list(Hour("created_at")).annotate(n=Count("id"))
    end = Coalesce("released_at", "expires_at")
    recent = Q(released_at__gte=since) | Q(released_at__isnull=True, expires_at__range=(since, now))
    ended = found.filter(recent).annotate(end=end).values_list(Hour("end")).annotate(n=Count("id"))
    return dict(began), dict(ended)


def engineers_named() -> list[str]:
    """Engineers with claims that nobody has ended, for a list to choose from; cut."""
    held = Claim.objects.filter(released_at__isnull=True).order_by("engineer")
    return list(held.values_list("engineer", flat=True).distinct()[:MOST_NAMES])


def repositories_named() -> list[str]:
    """Repositories by name, for a list to choose from; cut."""
    return list(Repository.objects.order_by("name").values_list("name", flat=True)[:MOST_NAMES])


def checkouts_configured() -> list[str]:
    """Repositories for which admin names a checkout on this machine; cut."""
    rows = Repository.objects.exclude(checkout_path="").order_by("name").values_list("name", flat=True)
    return list(rows[:20])


def partners_by_claim(claims: Collection[str]) -> dict[str, int]:
    """How many live claims coexist with each."""
    from claims.models import Partnership

    counted: dict[str, int] = defaultdict(int)
    for mine, other in (("holder", "partner"), ("partner", "holder")):
        rows = Partnership.objects.filter(
            **{f"{mine}_id__in": list(claims), f"{other}__released_at__isnull": True}
        ).values_list(F(f"{mine}_id"), F(f"{other}_id"))
        for claim, _ in set(rows):
            counted[claim] += 1
    return dict(counted)
