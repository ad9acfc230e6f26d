"""The reference's database, read as it is: every row becomes a value of ours or a reason why it does not."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from claims.names import BadRepo, fold_repo
from claims.services.importing import ForeignClaim, ForeignRequest
from webhooks.services import ForeignDelivery

MOST_ROWS = 1_000_000
MOST_SYMBOL = 512
_NEEDED = ("schema_version", "claims", "requests", "ownership_config")
_HAS = "SELECT name FROM sqlite_master WHERE type = 'table'"
T = TypeVar("T")
Row = dict[str, Any]


class NotReadable(Exception):
    """The file is no database of the reference; the text says why."""


class Unusable(ValueError):
    """A row that cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that stays behind, and why."""

    kind: str
    id: str
    what: str
    reason: str


@dataclass(slots=True)
class Contents:
    """What the file holds: claims and requests by repository, the ownership document, owed deliveries."""

    version: int = 0
    claims: dict[str, list[ForeignClaim]] = field(default_factory=lambda: defaultdict(list))
    requests: list[ForeignRequest] = field(default_factory=list)
    ownership: str = ""
    deliveries: list[ForeignDelivery] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many rows there are to import."""
        return sum(map(len, self.claims.values())) + len(self.requests) + len(self.deliveries)


def read(path: Path) -> Contents:
    """Everything in the file that is still of use. Never writes. Raises :class:`NotReadable`."""
    if not path.is_file():
        raise NotReadable(f"{path}: no such file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return _read(database, path)
    except sqlite3.Error as error:
        raise NotReadable(f"{path}: {error}") from None


def _read(database: sqlite3.Connection, path: Path) -> Contents:
    tables = {row[0] for row in database.execute(_HAS)}
    missing = [name for name in _NEEDED if name not in tables]
    if missing:
        raise NotReadable(f"{path}: not a database of the reference (no table {missing[0]})")
    contents = Contents()
    row = database.execute("SELECT version FROM schema_version").fetchone()
    contents.version = int(row[0]) if row else 0
    symbols = _symbols(database) if "claim_symbols" in tables else {}
    open_claims = "SELECT * FROM claims WHERE released_at IS NULL"
    for row in _rows(database, open_claims):
        claim = _or_skip(contents, "claim", row, lambda r: _claim(r, symbols.get(r["id"], ())))
        if claim is not None:
            contents.claims[claim[0]].append(claim[1])
    live = {claim.id for claims in contents.claims.values() for claim in claims}
    for row in _rows(database, "SELECT * FROM requests"):
        if row["claim_id"] in live:
            request = _or_skip(contents, "request", row, _request)
            contents.requests += [request] if request else []
    document = database.execute("SELECT yaml_text FROM ownership_config").fetchone()
    contents.ownership = str(document[0]) if document else ""
    if "webhook_outbox" in tables:
        owed = "SELECT * FROM webhook_outbox WHERE status IN ('pending', 'failed') ORDER BY created_at, rowid"
        for row in _rows(database, owed):
            delivery = _or_skip(contents, "delivery", row, _delivery)
            contents.deliveries += [delivery] if delivery else []
    if "claim_queue" in tables:
        waiting = "SELECT * FROM claim_queue WHERE state IN ('waiting', 'in_progress')"
        for row in _rows(database, waiting):
            contents.skipped.append(
                Skipped(
                    "ticket", row["id"], row["pattern"], "who waited is gone with its call and asks again"
                )
            )
    return contents


def _rows(database: sqlite3.Connection, query: str) -> Iterator[Row]:
    for count, row in enumerate(database.execute(query)):
        if count == MOST_ROWS:
            raise NotReadable(f"more than {MOST_ROWS} rows: {query}")
        yield dict(row)


def _or_skip(contents: Contents, kind: str, row: Row, make: Callable[[Row], T]) -> T | None:
    """What ``make`` makes of the row; a row that it cannot use is noted with the reason."""
    try:
        return make(row)
    except Unusable as error:
        what = row.get("pattern") or row.get("requested_pattern") or row.get("event_type") or ""
        contents.skipped.append(Skipped(kind, str(row["id"])[:100], str(what)[:200], str(error)))
        return None


def _symbols(database: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """The symbol paths of each claim."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in _rows(database, "SELECT * FROM claim_symbols"):
        parent = row.get("parent_symbol")
        found[row["claim_id"]].append(f"{parent}::{row['symbol_name']}" if parent else row["symbol_name"])
    return {claim_id: tuple(dict.fromkeys(paths)) for claim_id, paths in found.items()}


def _claim(row: Row, symbols: tuple[str, ...]) -> tuple[str, ForeignClaim]:
    if row.get("scope_type") == "symbol" and not symbols:
        raise Unusable("it is a symbol claim without symbols")
    if any(len(path) > MOST_SYMBOL for path in symbols):
        raise Unusable(f"one of its symbols has more than {MOST_SYMBOL} characters")
    claim = ForeignClaim(
        id=_id(row["id"]),
        engineer=_text(row, "engineer", 200),
        session_id=_text(row, "session_id", 200) or None,
        branch=_text(row, "branch", 300) or None,
        description=(row.get("description") or "")[:2000] or None,
        claim_type=str(row["claim_type"]),
        pattern=str(row["pattern"]),
        symbols=symbols,
        narrowable=bool(row.get("narrowable")),
        created_at=_moment(row["created_at"]),
        expires_at=_moment(row["expires_at"]),
        last_activity=_moment(row.get("last_activity")) if row.get("last_activity") else None,
        partners=frozenset(_partners(row.get("coexists_with"))),
    )
    if not claim.engineer:
        raise Unusable("it names no engineer")
    return _repo(row.get("repo")), claim


def _request(row: Row) -> ForeignRequest:
    decided = row["decided_at"]
    return ForeignRequest(
        id=_id(row["id"]),
        claim_id=row["claim_id"],
        requester_engineer=_text(row, "requester_engineer", 200),
        requester_session_id=_text(row, "requester_session_id", 200) or None,
        requested_pattern=_text(row, "requested_pattern", 1100),
        requested_scope=_text(row, "requested_scope", 1024) or None,
        reason=(row["reason"] or "")[:2000] or None,
        urgency=str(row["urgency"])[:16],
        decision=row["decision"],
        decided_at=_moment(decided) if decided else None,
        decided_by_engineer=_text(row, "decided_by_engineer", 200) or None,
        decided_by_session_id=_text(row, "decided_by_session_id", 200) or None,
        note=(row["note"] or "")[:2000] or None,
        original_expires_at=_moment(row["original_expires_at"]),
        shortened_expires_at=_moment(row["shortened_expires_at"]),
        created_at=_moment(row["created_at"]),
    )


def _delivery(row: Row) -> ForeignDelivery:
    try:
        payload = json.loads(row["payload_json"])
        detail = payload["detail"]
    except (ValueError, TypeError, KeyError):
        raise Unusable("its payload is not that of an event") from None
    if not isinstance(detail, dict):
        raise Unusable("its payload is not that of an event")
    repo = detail.get("repo")
    return ForeignDelivery(
        id=UUID(_id(row["id"])),
        url=str(row["url"]),
        event_type=str(row["event_type"]),
        repo=_repo(repo if isinstance(repo, str) else None),
        detail=detail,
        created_at=_moment(payload.get("timestamp") or row["created_at"]),
    )


def _text(row: Row, name: str, most: int) -> str:
    value = str(row.get(name) or "").strip()
    if len(value) > most:
        raise Unusable(f"its {name} has {len(value)} characters; at most {most} are kept here")
    return value


def _id(text: Any) -> str:
    try:
        return str(UUID(str(text)))
    except ValueError:
        raise Unusable("its id is not a UUID") from None


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise Unusable(f"'{str(text)[:40]}' is not a time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _repo(text: str | None) -> str:
    try:
        return fold_repo(text)
    except BadRepo as error:
        raise Unusable(str(error)) from None


def _partners(text: Any) -> list[str]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, TypeError):
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
