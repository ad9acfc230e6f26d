"""All reads of the ownership package."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import unified_diff
from functools import lru_cache

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, Max, Q, QuerySet

from common import clock
from common.buckets import Day, Hour
from common.errors import NotFound
from common.filters import Filter
from common.rows import batches
from ownership import documents, edits
from ownership.documents import InvalidDocument
from ownership.hotspots import Advice, advice, covers_pattern
from ownership.models import Contention, Revision
from ownership.rules import RuleSet
from patterns import Pattern, PatternError, parse

logger = logging.getLogger(__name__)

PATTERNS_PER_QUERY = 500
MOST_DIFF_LINES = 10_000
MOST_SEARCHED = 5000
MAX_ID = 2**63 - 1

_NO_RULES = RuleSet()
_TABLE = Revision._meta.db_table
_NEWEST = f"SELECT id, digest FROM {_TABLE} ORDER BY id DESC LIMIT 1"
NEWEST = ", ".join(f"(SELECT {name} FROM {_TABLE} ORDER BY id DESC LIMIT 1)" for name in ("id", "digest"))
"""The two values that :func:`rules_of` takes, as expressions for a statement that is run anyway."""
_cache_lock = threading.Lock()
_cached: tuple[int, str, RuleSet] | None = None


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A pattern that is often refused. ``attempts`` counts requests; ``repo`` ``""`` is the null one."""

    repo: str
    pattern: str
    attempts: int
    distinct_attempters: int
    last_attempt: datetime

    @property
    def suggested_action(self) -> Advice:
        """What the thresholds of the settings advise."""
        config = settings.COORD
        return advice(
            self.attempts, split_at=config.hotspot_split_attempts, share_at=config.hotspot_share_attempts
        )


def current_rules() -> RuleSet:
    """The rules in force: one query, and what :func:`rules_of` says."""
    with connection.cursor() as cursor:  # asked often: a query built by the ORM costs ten times this
        cursor.execute(_NEWEST)
        newest = cursor.fetchone()
    return rules_of(*(newest or (None, None)))


def rules_of(revision_id: int | None, digest: str | None) -> RuleSet:
    """The rules of the newest revision, which has this id and digest: parsed once per revision and process.

    A stored document that cannot be parsed is logged once and stands for no rules.
    """
    global _cached
    if revision_id is None or digest is None:
        return _NO_RULES
    cached = _cached
    if cached is None or cached[:2] != (revision_id, digest):
        with _cache_lock:
            cached = _cached = (revision_id, digest, _load(revision_id))
    return cached[2]


@dataclass(frozen=True, slots=True)
class Marks:
    """The patterns that the document in force lists for every repository: shared, pinned, to be split."""

    shared: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    splits: frozenset[str] = frozenset()

    def of(self, pattern: str) -> list[str]:
        """What is said of a pattern, in words."""
        found = ["pinned"] if pattern in self.pinned else ["shared"] if pattern in self.shared else []
        return [*found, "to be split"] if pattern in self.splits else found


_NO_MARKS = Marks()


def marks() -> Marks:
    """What the document in force says of single patterns. The document is read once per revision."""
    newest = Revision.objects.order_by("-id").values_list("id", "digest").first()
    return _NO_MARKS if newest is None else _marks_of(*newest)


@lru_cache(maxsize=2)
def _marks_of(revision_id: int, digest: str) -> Marks:
    text = Revision.objects.values_list("text", flat=True).get(id=revision_id)
    try:
        entries, document = edits.entries(text), documents.parse(text)
    except InvalidDocument:
        return _NO_MARKS
    return Marks(
        frozenset(entry.pattern for entry in entries),
        frozenset(entry.pattern for entry in entries if entry.permanent),
        frozenset(document.everywhere.splits),
    )


def current_revision() -> Revision | None:
    """The revision in force."""
    return Revision.objects.order_by("-id").first()


def revisions() -> QuerySet[Revision]:
    """All revisions, newest first."""
    return Revision.objects.order_by("-id")


def revision(revision_id: int) -> Revision:
    """One revision. Raises :class:`NotFound`."""
    found = Revision.objects.filter(id=revision_id).first() if revision_id <= MAX_ID else None
    if found is None:
        raise NotFound(f"There is no revision {revision_id}", next="Look at GET /config/ownership/revisions.")
    return found


def revision_page(*, limit: int, before: int | None = None) -> tuple[list[Revision], int | None]:
    """At most ``limit`` revisions older than ``before``, newest first, without texts; the next cursor."""
    rows = revisions().defer("text")
    if before is not None:
        rows = rows.filter(id__lt=min(before, MAX_ID))
    found = list(rows[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def difference(old_id: int, new_id: int) -> list[str] | None:
    """The lines of the unified diff between two revisions; 0 is the empty document.

    ``None`` when the texts have too many lines to be compared. Raises :class:`NotFound`.
    """
    old, new = (revision(one).text.splitlines() if one else [] for one in (old_id, new_id))
    if len(old) + len(new) > MOST_DIFF_LINES:
        return None
    names = [f"revision {one}" if one else "nothing" for one in (old_id, new_id)]
    return list(unified_diff(old, new, names[0], names[1], lineterm=""))


def hotspots(
    *,
    days: int,
    min_attempts: int,
    limit: int | None = None,
    repo: str | None = None,
    repositories: Collection[str] | None = None,
    patterns: Iterable[str] | None = None,
) -> list[Hotspot]:
    """Patterns refused by at least ``min_attempts`` requests in the last ``days`` days, most first.

    ``repo`` asks for one repository (``""`` the null one); ``repositories`` is the caller's limit;
    ``limit`` ``None`` is no cut.
    """
    rows = Contention.objects.filter(created_at__gte=clock.now() - timedelta(days=days))
    if repo is not None:
        rows = rows.filter(repo=repo)
    if repositories is not None:
        rows = rows.filter(repo__in=repositories)
    if patterns is not None:
        rows = rows.filter(pattern__in=list(patterns))
    groups = (
        rows.values_list("repo", "pattern")
        .annotate(
            attempts=Count("request_uid", distinct=True),
            attempters=Count("attempted_by", distinct=True),
            last=Max("created_at"),
        )
        .filter(attempts__gte=min_attempts)
        .order_by("-attempts", "-last", "repo", "pattern")
    )
    return [Hotspot(*group) for group in (groups if limit is None else groups[:limit])]


def attempts_under(patterns: Collection[str], *, days: int) -> dict[str, int]:
    """Requests refused in the last ``days`` days at what each pattern covers, in all repositories."""
    if not patterns:
        return {}
    rows = Contention.objects.filter(created_at__gte=clock.now() - timedelta(days=days)).order_by()
    attempted = list(rows.values_list("pattern", flat=True).distinct())
    parsed = [(text, _parsed(text)) for text in attempted]
    counts: dict[str, int] = {}
    for outer in patterns:
        compiled = _parsed(outer)
        covered = [
            text
            for text, inner in parsed
            if text == outer or (compiled and inner and covers_pattern(compiled, inner))
        ]
        requests: set[str] = set()
        for chunk in batches(covered, PATTERNS_PER_QUERY):
            some = rows.filter(pattern__in=chunk)
            requests.update(some.values_list("request_uid", flat=True).distinct())
        counts[outer] = len(requests)
    return counts


def recent_contention(seen: Filter, *, limit: int) -> list[Contention]:
    """The newest refused attempts, one row per item and holder.

    Those of an engineer or with a text are looked for among the newest 5000 of all.
    """
    rows = Contention.objects.filter(_within(seen))
    if seen.engineer or seen.text:
        newest = Contention.objects.order_by("-created_at", "-id").values("pk")[:MOST_SEARCHED]
        rows = rows.filter(pk__in=newest)
    return list(rows.order_by("-created_at", "-id")[:limit])


def last_refusal() -> int:
    """The id of the newest refused attempt; 0 before the first."""
    newest: int | None = Contention.objects.aggregate(Max("id"))["id__max"]
    return newest or 0


def refused_since(seen: Filter, *, since: datetime, still: Exists) -> tuple[int, int]:
    """How many requests were refused since a moment, and how many of those are refused still.

    ``still`` tells of a row whether its holder (``claim_id``) still holds; a request that was granted later
    or gave up does not count as refused still.
    """
    rows = Contention.objects.filter(_within(seen), created_at__gte=since).order_by()
    unresolved = Q(resolution__in=("", Contention.Resolution.WAITED))
    # Not DISTINCT in a subquery: that makes SQLite walk the whole index of requests.
    counted = rows.aggregate(
        all=Count("request_uid", distinct=True),
        still=Count("request_uid", distinct=True, filter=unresolved & Q(still)),
    )
    return counted["all"], counted["still"]


def refused_by_hour(seen: Filter, *, since: datetime) -> dict[str, int]:
    """How many requests were refused, per hour (``2026-11-23 12``) since a moment."""
    rows = Contention.objects.filter(_within(seen), created_at__gte=since).order_by()
    return dict(rows.values_list(Hour("created_at")).annotate(n=Count("request_uid", distinct=True)))


def refused_by_day(seen: Filter, *, since: datetime) -> dict[tuple[str, str], int]:
    """How many requests were refused, per repository and day (``2026-11-23``) since a moment."""
    rows = Contention.objects.filter(_within(seen), created_at__gte=since).order_by()
    counted = rows.values_list("repo", Day("created_at")).annotate(n=Count("request_uid", distinct=True))
    return {(repo, day): n for repo, day, n in counted}


def _within(seen: Filter) -> Q:
    return seen.on(
        repo="repo", engineers=("attempted_by", "holder_engineer"), texts=("pattern", "holder_pattern")
    )


def _parsed(text: str) -> Pattern | None:
    try:
        return parse(text)
    except PatternError:
        return None


def _load(revision: int) -> RuleSet:
    text = Revision.objects.values_list("text", flat=True).get(id=revision)
    if not text.strip():
        return _NO_RULES
    try:
        return RuleSet(documents.parse(text))
    except InvalidDocument as error:
        logger.warning("owners.yaml revision %s is not valid and has no effect: %s", revision, error)
        return _NO_RULES
