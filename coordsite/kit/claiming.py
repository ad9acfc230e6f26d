"""Asking the service for files: granted, held by somebody else, or no verdict. The words of a refusal too."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from common import clock
from coordsite.kit.areas import Area
from coordsite.kit.service import Answer, Service, Unreachable, clean, segment

MAX_CLAIMED = 100
MAX_BATCH = 5000
MAX_REMEMBERED = 2000
_SHOWN = 5


class Holder(NamedTuple):
    """Who holds a path that was asked for; ``minutes`` of the lease are left (``None``: not told)."""

    path: str
    engineer: str
    pattern: str
    claim_id: str
    minutes: int | None
    description: str
    symbol: bool


class Verdict(NamedTuple):
    """What the service says: ``held`` names the holders; ``fault`` tells why there is no verdict.

    Neither: everything asked for is granted. ``next`` is the service's own advice. ``stale`` are paths
    that were changed under a claim which is over by now.
    """

    held: tuple[Holder, ...] = ()
    fault: str = ""
    next: str = ""
    stale: tuple[str, ...] = ()


def claim(area: Area, paths: list[str], call: str = "", note: str = "") -> Verdict:
    """Claim the paths for the area's session, all or none. Many paths are only checked, not claimed.

    Asking again for what the session holds changes nothing. Nobody's session: checked only.
    """
    if not area.session or len(paths) > MAX_CLAIMED:
        return check(area, paths, area.sessions())
    body: dict[str, Any] = {
        "engineer": area.engineer,
        "claims": [{"type": "file", "pattern": _pattern(path)} for path in paths],
        "description": note,
        "branch": area.branch or None,
        "repo": area.repo or None,
        "session_id": area.session,
    }
    try:
        answer = area.service().call("POST", "/claims", body, _retry_key(call, body))
    except Unreachable as error:
        return Verdict(fault=str(error))
    if answer.status == 409:
        held = _holders(answer, paths)
        if not held:
            return Verdict(fault=answer.detail)
        foreign = _not_mine(area, held)
        return Verdict(foreign, next=_text(answer.body, "next", 300)) if foreign else Verdict()
    if answer.status != 200:
        return Verdict(fault=fault_of(answer))
    _note_fences(area, answer, paths)
    return Verdict()


class Place(Protocol):
    """Where and in whose name to ask: an area, or a repository known by its name alone."""

    @property
    def repo(self) -> str:
        """The repository's name for the service."""

    @property
    def engineer(self) -> str:
        """In whose name."""

    def service(self, timeout: float = ...) -> Service:
        """A client of the service."""


def check(area: Place, paths: list[str], sessions: list[str], engineer: str | None = None) -> Verdict:
    """Ask whether somebody else holds any of the paths; claims nothing."""
    held: list[Holder] = []
    for start in range(0, len(paths), MAX_BATCH):
        asked = paths[start : start + MAX_BATCH]
        body: dict[str, Any] = {
            "patterns": [_pattern(path) for path in asked],
            "engineer": area.engineer if engineer is None else engineer,
            "repo": area.repo or None,
            "session_ids": sessions[:1000],
        }
        try:
            answer = area.service(20).call("POST", "/conflicts/batch", body)
        except Unreachable as error:
            return Verdict(fault=str(error))
        if answer.status != 200 or not isinstance(answer.body.get("has_conflicts"), bool):
            return Verdict(fault=fault_of(answer))
        held += _holders(answer, asked)
    return Verdict(tuple(held))


def refusal(held: tuple[Holder, ...], advice: str = "", verb: str = "edited") -> str:
    """The text of a refusal: each holder and the minutes left, then one thing to do."""
    lines = []
    for holder in held[:_SHOWN]:
        left = "" if holder.minutes is None else f" for {holder.minutes} more min"
        why = f" ({holder.description})" if holder.description else ""
        through = f" through {holder.pattern}" if holder.pattern != holder.path else ""
        lines.append(f"coord: {holder.path} is held by {holder.engineer}{through}{left}{why}.")
    if len(held) > _SHOWN:
        lines.append(f"coord: {len(held) - _SHOWN} more paths are held.")
    first = held[0]
    ask = f'Ask for it: request_release(claim_id="{first.claim_id}", reason="…").'
    wait = f"Work on something else; {first.path} cannot be {verb} until {first.engineer} releases it."
    return "\n".join([*lines, f"Next: {advice or (ask if first.claim_id else wait)}"])


def is_own(shown: object, own: list[str]) -> bool:
    """Whether a session, which the service may show cut short (``abcd…``), is one of these."""
    if not isinstance(shown, str) or not shown:
        return False
    if shown.endswith("…"):
        return any(session.startswith(shown[:-1]) for session in own)
    return shown in own


def _pattern(path: str) -> str:
    """A path as a pattern: a leading ``!`` would read as a negation."""
    return f"./{path}" if path.startswith(("!", "#", " ")) else path


def _note_fences(area: Area, answer: Answer, paths: list[str]) -> None:
    """Keep the number that each claim was granted with: a push shows it, so that a lost lease is noticed."""
    fences: dict[str, Any] = area.state.values.setdefault("fences", {})
    wanted = {_pattern(path).removeprefix("./"): path for path in paths}
    rows = answer.body.get("claims")
    for row in rows if isinstance(rows, list) else []:
        path = wanted.get(str(row.get("pattern"))) if isinstance(row, dict) else None
        if path is not None and isinstance(row.get("fence"), int):
            fences.pop(path, None)
            fences[path] = [str(row.get("id")), row["fence"]]
    while len(fences) > MAX_REMEMBERED:
        fences.pop(next(iter(fences)))


def _retry_key(call: str, body: dict[str, Any]) -> str:
    """The key under which the service answers a repeated request once. It is that of the request itself: a
    tool that uses the id of a call again for another one must not be refused over it."""
    if not call:
        return ""
    import hashlib
    import json

    text = json.dumps([call, body], sort_keys=True)
    return hashlib.sha256(text.encode("ascii", "replace")).hexdigest()[:40]


def fault_of(answer: Answer) -> str:
    """Why an answer is no verdict, in a few words."""
    detail = answer.detail.rstrip(".")
    if answer.status == 401:
        return f"the service refuses the token ({detail})"
    return f"the service answers {answer.status}: {detail}"


def _text(fields: dict[str, Any], name: str, limit: int) -> str:
    value = fields.get(name)
    return clean(value, limit) if isinstance(value, str) else ""


def _holders(answer: Answer, paths: list[str]) -> tuple[Holder, ...]:
    """The holders that an answer names. ``/claims`` nests the claim, ``/conflicts`` does not."""
    entries = answer.body.get("conflicts")
    wanted = {_pattern(path): path for path in paths}
    found = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("kind") == "queued":
            continue  # who only waits holds nothing
        nested = entry.get("conflicting_claim")
        claim = nested if isinstance(nested, dict) else entry
        asked = _text(entry, "your_pattern", 500)
        claim_id = _text(claim, "id", 64) or _text(entry, "claim_id", 64)
        found.append(
            Holder(
                path=wanted.get(asked, asked),
                engineer=_text(claim, "engineer", 80) or "somebody",
                pattern=_text(claim, "pattern", 160),
                claim_id=claim_id if claim_id.replace("-", "").isalnum() else "",
                minutes=_minutes_left(claim.get("expires_at")),
                description=_text(claim, "description", 80),
                symbol=claim.get("scope_type") == "symbol",
            )
        )
    return tuple(found)


def _minutes_left(moment: object) -> int | None:
    try:
        ends = datetime.fromisoformat(str(moment))
        return max(0, round((ends - clock.now()).total_seconds() / 60))
    except (ValueError, TypeError):
        return None


def _not_mine(area: Area, held: tuple[Holder, ...]) -> tuple[Holder, ...]:
    """The holders that really are others.

    Two sessions may be one agent (the tool's and its MCP bridge's), and whoever holds symbols in a file
    may edit it beside the holder of other symbols.
    """
    own = area.sessions()
    if len(own) > 1:
        verdict = check(area, list(dict.fromkeys(holder.path for holder in held)), own)
        if not verdict.fault:
            others = {holder.path for holder in verdict.held}
            held = tuple(holder for holder in held if holder.path in others)
    if any(holder.symbol for holder in held):
        shared = _symbol_paths(area, own)
        held = tuple(holder for holder in held if not (holder.symbol and holder.path in shared))
    return held


def _symbol_paths(area: Area, own: list[str]) -> set[str]:
    """The files in which the agent itself holds symbols."""
    query = f"session_id={segment(area.session)}&repo={segment(area.repo)}&engineer={segment(area.engineer)}"
    try:
        answer = area.service().call("GET", f"/claims?{query}")
    except Unreachable:
        return set()
    rows = answer.body.get("claims")
    return {
        str(row.get("pattern"))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("scope_type") == "symbol" and is_own(row.get("session_id"), own)
    }
