"""Events as files: CSV and JSON lines, streamed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from common import clock
from webhooks.models import Event

COLUMNS = (
    "seq",
    "uid",
    "event_type",
    "created_at",
    "repo",
    "actor_engineer",
    "actor_session_id",
    "operator",
    "claim_id",
    "request_id",
    "ticket_id",
    "detail",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json_lines(events: Iterable[Event]) -> Iterator[str]:
    """One JSON object per line."""
    for event in events:
        yield json.dumps(_row(event), sort_keys=True) + "\n"


def as_csv(events: Iterable[Event]) -> Iterator[str]:
    """A header and a line per event. What a spreadsheet would run as a formula is quoted as text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    yield _taken(buffer)
    for event in events:
        row = {**_row(event), "detail": json.dumps(event.detail, sort_keys=True)}
        writer.writerow(_as_text(row[name]) for name in COLUMNS)
        yield _taken(buffer)


def _row(event: Event) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(event, name) for name in COLUMNS}
    for name in ("uid", "claim_id", "request_id", "ticket_id"):
        row[name] = str(row[name]) if row[name] else None
    row["created_at"] = clock.iso(event.created_at)
    return row


def _as_text(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
