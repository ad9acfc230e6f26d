"""The service's answers cut down for a model: who holds it, for how long, what they do, one next step.

Keys keep the service's names. Every reply has a ceiling in bytes, measured on its compact JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Reply = dict[str, Any]

GRANTED = 400
REFUSED = 700
LISTED = 3000
_ID = 40
_PASSED_BACK = frozenset({"id", "queue_id", "release_first"})
_TOOLS_OF = {
    "POST /requests": "request_release",
    "GET /requests": "my_requests",
    "POST /claims": "claim_files",
    "GET /claims": "list_claims",
}
_DROPPED = frozenset(
    {
        "original_expires_at", "created_at", "decided_at", "requester_session_id", "decided_by_session_id",
        "attempted_session_id", "session_id", "last_activity", "coexists_with", "ttl_shortened", "narrowable",
        "released_at", "severity", "branch", "claim_type", "holder_repo", "blocking_claim_id", "retryable",
    }
)  # fmt: skip


def compact(value: object) -> str:
    """JSON without spaces, as it is measured and sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size(value: object) -> int:
    """Bytes of the compact JSON."""
    return len(compact(value).encode())


def clip(text: object, limit: int) -> str:
    """At most ``limit`` characters on one line; the middle goes first, for paths tell most at their ends."""
    line = " ".join(str(text).split())
    if len(line) <= limit:
        return line
    head = limit // 3
    return f"{line[:head]}…{line[len(line) - (limit - head - 1) :]}"


def tidy(value: object, limit: int = 120) -> Any:
    """A row without nulls and without fields that no model needs; long texts clipped."""
    if isinstance(value, Mapping):
        kept = ((key, tidy(item, limit)) for key, item in value.items() if key not in _DROPPED)
        return {key: item for key, item in kept if item is not None and item != []}
    if isinstance(value, list | tuple):
        return [tidy(item, limit) for item in value[:50]]
    return clip(value, limit) if isinstance(value, str) else value


def minutes_left(expires_at: object, now: datetime | None = None) -> int | None:
    """Whole minutes until a time of the service, rounded up; ``None`` when it cannot be read."""
    try:
        end = datetime.fromisoformat(str(expires_at))
    except ValueError:
        return None
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    seconds = (end - (now or datetime.now(UTC))).total_seconds()
    return max(0, -int(-seconds // 60))


def _left(held: Mapping[str, Any]) -> int | None:
    """Minutes that a holder has left: as the service counts them, else by this machine's clock."""
    seconds = held.get("seconds_left")
    return -int(-seconds // 60) if isinstance(seconds, int | float) else minutes_left(held.get("expires_at"))


def step(text: object, limit: int = 160) -> str:
    """The service's next step, in terms of tools."""
    words = str(text)
    for operation, tool in _TOOLS_OF.items():
        words = words.replace(operation, tool)
    return clip(words, limit)


def detail_of(body: Mapping[str, Any]) -> str:
    """The service's words; the list of a validation error becomes ``field: message`` texts."""
    detail = body.get("detail")
    if isinstance(detail, list):
        return "; ".join(_problem(item) for item in detail[:3])
    return str(detail) if detail else ""


def _problem(item: object) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    loc = item.get("loc")
    place = [str(part) for part in loc if part not in ("body", "query")] if isinstance(loc, list) else []
    return f"{'.'.join(place)}: {item.get('msg', '')}"


def refusal(status: int, body: Mapping[str, Any], limit: int = REFUSED) -> Reply:
    """A refusal as data: the status (absent when unreachable), the server's words and the one next step."""
    reply: Reply = {"status": status} if status else {}
    reply["detail"] = clip(detail_of(body) or f"The service answered {status}.", 300)
    for key, width in (("code", 40), ("next", 160)):
        if body.get(key):
            reply[key] = step(body[key], width)
    if isinstance(body.get("retry_after_s"), int | float):
        reply["retry_after_s"] = body["retry_after_s"]
    return reply if size(reply) <= limit else {**reply, "detail": clip(reply["detail"], 100)}


def listing(key: str, rows: Sequence[Any], *, limit: int = LISTED, total: int | None = None) -> Reply:
    """Rows until the ceiling; ``count`` is how many there are, ``more`` how many are not shown."""
    count = len(rows) if total is None else total
    shown: list[Any] = []
    used = size({key: [], "count": count, "more": count})
    for row in rows:
        used += size(row) + 1
        if used > limit:
            break
        shown.append(row)
    reply: Reply = {key: shown, "count": count}
    return reply if len(shown) == count else {**reply, "more": count - len(shown)}


def claimed(status: int, body: Mapping[str, Any]) -> Reply:
    """The reply of a claim request, granted or refused."""
    if status == 200 and body.get("claim_ids"):
        return _granted(body)
    return _refused(status, body)


def _granted(body: Mapping[str, Any]) -> Reply:
    ids = list(body["claim_ids"])
    claims = [_pick(claim, "id", "pattern", "fence", "expires_at") for claim in _rows(body, "claims")]
    ends = [claim["expires_at"] for claim in claims if claim.get("expires_at")]
    reply: Reply = {
        "claim_ids": ids,
        "claims": claims,
        "conflicts": [],
        "warnings": [clip(text, 160) for text in body.get("warnings") or ()],
        "options": [],
    }
    limit = GRANTED + _ID * (len(ids) - 1)
    if size(reply) > limit:
        del reply["claims"]
        if ends:
            reply["expires_at"] = min(ends)
    return _with_fewer_warnings(reply, limit)


def _with_fewer_warnings(reply: Reply, limit: int) -> Reply:
    warnings = reply["warnings"]
    kept = len(warnings)
    while size(reply) > limit and kept:
        kept -= 1
        reply["warnings"] = [*warnings[:kept], f"{len(warnings) - kept} more warnings"]
    return reply


def _refused(status: int, body: Mapping[str, Any]) -> Reply:
    conflicts = [_conflict(row) for row in _rows(body, "conflicts")]
    reply: Reply = {
        "claim_ids": [],
        "conflicts": conflicts,
        "warnings": [clip(text, 240) for text in body.get("warnings") or ()][:3],
        "options": [clip(text, 20) for text in body.get("options") or ()][:4],
    }
    if status not in (200, 202, 400, 409) or not (conflicts or reply["warnings"]):
        reply.update(refusal(status, body, 400))
    for key in ("code", "queue_id", "position", "release_first"):
        if body.get(key) is not None:
            reply[key] = tidy(body[key], 40)
    if body.get("cycle"):
        reply["cycle"] = [_link(link) for link in _rows(body, "cycle")[:4]]
    reply["next"] = step(body.get("next") or _next_step(reply))
    return _fitted(reply, REFUSED, _shorten(reply))


def _next_step(reply: Reply) -> str:
    if reply["conflicts"]:
        return "Work elsewhere, or call claim_files again with wait_seconds=60."
    return "Change the request as the warning says." if reply["warnings"] else "Tell the user."


def _conflict(row: Mapping[str, Any]) -> Reply:
    held = row.get("conflicting_claim") or {}
    claim = _pick(held, "id", "engineer", "pattern", "description", "expires_at", "symbols")
    for key, width in (("engineer", 40), ("pattern", 60), ("description", 60), ("id", 40)):
        if key in claim:
            claim[key] = clip(claim[key], width)
    entry: Reply = {"your_pattern": clip(row.get("your_pattern", ""), 60), "conflicting_claim": claim}
    if row.get("kind") == "queued":
        entry["kind"] = "queued"
    left = _left(held)
    if left is not None:
        entry["minutes_left"] = left
    if "symbols" in claim:
        claim["symbols"] = [clip(name, 40) for name in claim["symbols"][:3]]
    return entry


def _link(link: Mapping[str, Any]) -> str:
    """One edge of a wait cycle, as a sentence."""
    waiter, holder = clip(link.get("engineer", "?"), 24), clip(link.get("held_by", "?"), 24)
    return f"{waiter} waits for {clip(link.get('waits_for', '?'), 40)} of {holder}"


def _shorten(reply: Reply) -> Sequence[Callable[[], object]]:
    """What goes first when a refusal is too long: further conflicts, symbols, the cycle, long warnings."""

    def drop_conflict() -> None:
        reply["conflicts"].pop()
        reply["more_conflicts"] = reply.get("more_conflicts", 0) + 1

    conflicts = reply["conflicts"]
    first = conflicts[0]["conflicting_claim"] if conflicts else {}
    return [
        *([drop_conflict] * (len(conflicts) - 1)),
        lambda: first.pop("symbols", None),
        lambda: reply.update(warnings=[clip(text, 90) for text in reply["warnings"]]),
        lambda: reply.update(cycle=reply["cycle"][:2]) if "cycle" in reply else None,
        lambda: first.pop("description", None),
        lambda: reply.pop("cycle", None),
        lambda: reply.update(warnings=reply["warnings"][:1]),
        lambda: reply.update(options=[], next=clip(reply["next"], 80)),
    ]


def _fitted(reply: Reply, limit: int, steps: Sequence[Callable[[], object]]) -> Reply:
    for shorten in steps:
        if size(reply) <= limit:
            return reply
        shorten()
    for width in (40, 24, 12):
        if size(reply) > limit:
            reply = {key: _narrowed(value, width, key) for key, value in reply.items()}
    return reply


def _narrowed(value: Any, width: int, key: str = "") -> Any:
    """Every text clipped; names of things that are passed back stay whole."""
    if isinstance(value, dict):
        return {name: _narrowed(item, width, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_narrowed(item, width) for item in value]
    return clip(value, width) if isinstance(value, str) and key not in _PASSED_BACK else value


def conflicts(body: Mapping[str, Any]) -> Reply:
    """The reply of a conflict check: the verdict, then entries until the ceiling."""
    rows = [_checked(row) for row in _rows(body, "conflicts")]
    safe = not body.get("has_conflicts", bool(rows))
    reply: Reply = {"has_conflicts": not safe, "conflicts": rows, "safe_to_proceed": safe, "safe": safe}
    if not safe:
        nexts = [entry["next"] for entry in _rows(body, "conflicts") if entry.get("next")]
        said = body.get("next") or (nexts[0] if nexts else "claim_files with wait_seconds waits.")
        reply["next"] = step(said)
    shown = listing("conflicts", rows, limit=REFUSED - size({**reply, "conflicts": []}) + 40)
    reply["conflicts"] = shown["conflicts"]
    if "more" in shown:
        reply["more_conflicts"] = shown["more"]
    return reply


def _checked(row: Mapping[str, Any]) -> Reply:
    entry: Reply = {}
    for key, width in (("your_pattern", 80), ("engineer", 40), ("pattern", 60), ("expires_at", 30)):
        if row.get(key):
            entry[key] = clip(row[key], width)
    left = _left(row)
    if left is not None:
        entry["minutes_left"] = left
    return entry


def claim_rows(body: Mapping[str, Any], session_id: str) -> Reply:
    """The reply of ``list_claims``: one short row per claim; ``mine`` marks this session's."""
    rows = []
    for row in _rows(body, "claims"):
        entry = _pick(row, "id", "engineer", "pattern", "description", "expires_at", "symbols", "repo")
        entry = {key: tidy(value, 80) for key, value in entry.items()}
        if row.get("released_at"):
            entry["released_at"] = row["released_at"]
        if row.get("mine") or row.get("yours") or row.get("session_id") == session_id:
            entry["mine"] = True
        rows.append(entry)
    reply = listing("claims", rows)
    if body.get("next_cursor"):
        reply["truncated"] = True
    return reply


def rows(key: str, body: Mapping[str, Any]) -> Reply:
    """The reply of a listing whose rows keep their own keys."""
    return listing(key, [tidy(row, 100) for row in _rows(body, key)])


def row(body: Mapping[str, Any]) -> Reply:
    """The reply that is one row of the service."""
    for width in (120, 60, 30):
        reply: Reply = tidy(body, width)
        if size(reply) <= REFUSED:
            return reply
    return {key: value for key, value in reply.items() if not isinstance(value, dict | list)}


def _rows(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = body.get(key)
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def _pick(source: Mapping[str, Any], *keys: str) -> Reply:
    return {key: source[key] for key in keys if source.get(key) is not None}
