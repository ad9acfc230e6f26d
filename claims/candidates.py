"""Finding the live claims that a scope could meet, by indexed look-ups, and testing those exactly.

A claim stores its *literal prefix* (whole segments before the first wildcard) and its *tail* (the file
ending that all its paths have, or nothing). Patterns can only overlap when one prefix is an ancestor of
the other (or equal) and the tails agree or one is open; everything else is never read. The search works
from the database alone, so that every replica answers alike, and stops after enough hits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from claims.locks import idle_cutoff
from claims.models import Claim, ClaimSymbol
from claims.parties import Party
from claims.scopes import NEVER_NARROWED
from common.rows import marks, moment, stored
from patterns import Pattern, candidate_prefixes, overlaps, parse

MOST_HITS = 50
_FIRST_ROWS = 100
_FIRST_BATCH = 10
_BATCH = 200
_CLAIM = Claim._meta.db_table
_SYMBOL = ClaimSymbol._meta.db_table
_COLUMNS = (
    "c.id, c.engineer, c.session_id, c.pattern, c.claim_type, c.scope_type, c.narrowable, c.severity,"
    " c.description, c.expires_at, c.fence, c.branch"
)
_NEVER = ", ".join(f"'{kind.value}'" for kind in NEVER_NARROWED)
# Written as NOT <= because SQLite, which has no statistics, would take ``expires_at > now`` for the narrowest
# range there is and read every live claim.
_LIVE = (
    "c.released_at IS NULL AND NOT c.expires_at <= %s AND (c.last_activity IS NULL OR c.last_activity > %s)"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A live claim that a scope meets. ``colliding`` are the holder's symbol paths in the way."""

    id: str
    engineer: str
    session_id: str | None
    pattern: str
    claim_type: str
    scope_type: str
    narrowable: bool
    severity: str
    description: str | None
    expires_at: datetime
    fence: int
    branch: str | None
    colliding: tuple[str, ...] = ()

    @property
    def can_be_narrowed(self) -> bool:
        """Whether this holder gives way to a symbol claim."""
        return (
            self.scope_type == Claim.Scope.FILE and self.narrowable and self.claim_type not in NEVER_NARROWED
        )

    @property
    def party(self) -> Party:
        """Who holds."""
        return Party(self.engineer, self.session_id)


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look, and at which moment claims must be live."""

    repository_id: int
    now: datetime
    case_insensitive: bool = False
    exclude: Party | None = None
    exclude_sessions: tuple[str, ...] = ()
    exclude_claims: tuple[str, ...] = ()

    def _base(self) -> tuple[str, list[Any]]:
        sql = f"c.repository_id = %s AND {_LIVE}"
        args: list[Any] = [self.repository_id, stored(self.now), stored(idle_cutoff(self.now))]
        if self.exclude is not None:
            sessions = tuple(filter(None, (self.exclude.session_id, *self.exclude_sessions)))
            if sessions:
                sql += (
                    f" AND COALESCE(c.session_id, '') NOT IN ({marks(sessions)})"
                    " AND NOT (c.session_id IS NULL AND c.engineer = %s)"
                )
                args += [*sessions, self.exclude.engineer]
            else:
                sql += " AND c.engineer <> %s"
                args.append(self.exclude.engineer)
        if self.exclude_claims:
            sql += f" AND c.id NOT IN ({marks(self.exclude_claims)})"
            args += self.exclude_claims
        return sql, args


def holders(
    search: Search, pattern: Pattern, *, scope: str | None = None, narrowable: bool | None = None
) -> Iterator[Holder]:
    """Live claims that overlap ``pattern``; the exact test is applied. ``scope`` and ``narrowable``, whether
    they give way to a symbol claim, are both when they are not said.
    """
    base, args = search._base()
    if scope is not None:
        base += " AND c.scope_type = %s"
        args.append(scope)
    if narrowable is not None:
        base += f" AND {'' if narrowable else 'NOT '}(c.narrowable AND c.claim_type NOT IN ({_NEVER}))"
    queries = [
        (f"SELECT {_COLUMNS} FROM {_CLAIM} c WHERE {base} AND {condition}", [*args, *more])
        for condition, more in _near(pattern, "c")
    ]
    yield from _exact(_rows(queries), search, pattern)


def symbol_holders(
    search: Search, pattern: Pattern, symbols: Sequence[str], stands_in_the_way: Callable[[Holder], bool]
) -> list[Holder]:
    """Live symbol claims that overlap ``pattern`` and hold one of ``symbols``, an ancestor or a descendant.

    Stops after :data:`MOST_HITS` claims that stand in the way; each is judged once, without ``colliding``.
    """
    found: dict[str, Holder] = {}
    others = 0
    colliding: dict[str, set[str]] = {}
    base, args = search._base()
    for symbol in symbols:
        parts = symbol.split("::")
        ancestors = ["::".join(parts[: n + 1]) for n in range(len(parts))]
        for path_sql, path_args in (
            (f"s.path IN ({marks(ancestors)})", ancestors),
            ("s.path >= %s AND s.path < %s", [f"{symbol}::", f"{symbol}:;"]),
        ):
            queries = [
                (
                    f"SELECT {_COLUMNS}, s.path FROM {_SYMBOL} s JOIN {_CLAIM} c ON c.id = s.claim_id"
                    f' WHERE s.repository_id = %s AND s."open" AND {path_sql} AND {condition} AND {base}',
                    [search.repository_id, *path_args, *more, *args],
                )
                for condition, more in _near(pattern, "s")
            ]
            for row in _rows(queries):
                if row[0] not in found:
                    if others >= MOST_HITS:
                        break
                    if not _meets(pattern, row[3], search):
                        continue
                    found[row[0]] = _holder(row)
                    others += stands_in_the_way(found[row[0]])
                colliding.setdefault(row[0], set()).add(row[12])
    return [
        replace(found[key], colliding=tuple(sorted(paths)))
        for key, paths in colliding.items()
        if key in found
    ]


def _near(pattern: Pattern, alias: str) -> list[tuple[str, list[Any]]]:
    """The conditions, each an index range, whose union holds every pattern that could overlap."""
    tail, tail_args = "", []
    if pattern.tail and alias == "c":
        tail, tail_args = f" AND {alias}.tail IN ('', %s)", [pattern.tail]
    if not pattern.prefix:
        return [(f"{alias}.prefix >= ''{tail}", tail_args)]
    above = candidate_prefixes(pattern)
    return [
        (f"{alias}.prefix IN ({marks(above)}){tail}", [*above, *tail_args]),
        (
            f"{alias}.prefix >= %s AND {alias}.prefix < %s{tail}",
            [f"{pattern.prefix}/", f"{pattern.prefix}0", *tail_args],
        ),
    ]


def _rows(queries: list[tuple[str, list[Any]]]) -> Iterator[tuple[Any, ...]]:
    """The rows, each once: a few first, as most searches stop early, and all only when those do not do.

    PostgreSQL sends whatever a query finds, so the first must not find thousands.
    """
    sql, args = _joined(queries)
    first: set[tuple[Any, ...]] = set()
    for limited in (f"{sql} LIMIT {_FIRST_ROWS}", sql):
        with connection.cursor() as cursor:
            cursor.execute(limited, args)
            size = _FIRST_BATCH
            while rows := cursor.fetchmany(size):
                if limited is not sql:
                    first.update(rows)
                    yield from rows
                else:
                    yield from (row for row in rows if row not in first)
                size = _BATCH
        if len(first) < _FIRST_ROWS:
            return


def _joined(queries: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
    return " UNION ALL ".join(sql for sql, _ in queries), [arg for _, args in queries for arg in args]


def _exact(rows: Iterator[tuple[Any, ...]], search: Search, pattern: Pattern) -> Iterator[Holder]:
    for row in rows:
        if _meets(pattern, row[3], search):
            yield _holder(row)


def _meets(pattern: Pattern, held: str, search: Search) -> bool:
    return held == pattern.text or overlaps(pattern, parse(held, case_insensitive=search.case_insensitive))


def _holder(row: tuple[Any, ...]) -> Holder:
    values = list(row[:12])
    values[6] = bool(values[6])
    values[9] = moment(values[9])
    return Holder(*values)
