"""What a hook does at each moment: claim before a write, a sign of life, release at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from claims.parties import Party
from claims.scopes import ClaimRequest, Item, ItemError, read_items
from claims.selectors.conflicts import Check, check_conflicts
from claims.selectors.listing import ClaimFilter, list_claims
from claims.services.activity import note_life
from claims.services.claiming import claim_scopes
from claims.services.releasing import release_session
from claims.services.verifying import HELD, UNCLAIMED, Change, Changes, verify_changes
from common import clock
from common.caller import Caller
from common.errors import Invalid
from coordsite.hooks.targets import Targets, targets_of
from coordsite.kit.claiming import MAX_CLAIMED, Holder, refusal
from coordsite.kit.payloads import Event
from coordsite.kit.service import clean

LISTED = 10
MOST_PATHS = 2000


class Reply(NamedTuple):
    """What the tool is told. ``block`` refuses the call; ``note`` is for the model; both empty: silence."""

    block: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """One event with who reports it, in which repository, and where that lies on the client's machine."""

    event: Event
    caller: Caller
    repo: str
    party: Party
    roots: tuple[str, ...]


def answer(hook: Hook) -> Reply:
    """Act on the event and say what the tool must hear."""
    session = hook.party.session_id
    if hook.event.moment == "end":
        if session:
            release_session(session, hook.caller)
        return Reply()
    if session:
        note_life([session], clock.now(), hook.caller)
    if hook.event.moment == "start":
        return Reply(note=_others(hook))
    if hook.event.moment == "before":
        return _before(hook)
    if hook.event.moment == "after" and hook.event.paths:
        blocked = _before(hook).block
        return Reply(note=blocked and f"{blocked}\nIt is edited already: leave it out of your commit.")
    return Reply()


def _before(hook: Hook) -> Reply:
    """Claim what is about to be written. Blocks when somebody else holds any of it."""
    targets = targets_of(hook.event, hook.roots)
    held = _held_paths(hook, targets) or _held_globs(hook, targets.looked_at[:MOST_PATHS])
    return Reply(block=refusal(held)) if held else Reply()


def _held_paths(hook: Hook, targets: Targets) -> tuple[Holder, ...]:
    """Who holds one of the paths; what is free is claimed, all of it or none."""
    paths = targets.paths[:MOST_PATHS]
    if not paths:
        return ()
    sessions = (hook.party.session_id,) if hook.party.session_id else ()
    asked = Changes(hook.repo, hook.party, [Change(path) for path in paths], sessions=sessions)
    try:
        rows = verify_changes(asked)["paths"]
    except Invalid:  # a path that is longer or deeper than any claim: nobody can hold it
        return ()
    held = tuple(_holder(row) for row in rows if row["verdict"] == HELD)
    free = [row["path"] for row in rows if row["verdict"] == UNCLAIMED]
    if held or not free or len(paths) > MAX_CLAIMED or not hook.party.session_id:
        return held
    return _claim(hook, free)


def _claim(hook: Hook, paths: list[str]) -> tuple[Holder, ...]:
    items: list[Item] = []
    for path in paths:
        try:
            items += read_items([{"pattern": _pattern(path)}], case_insensitive=False)
        except ItemError:  # a name that no pattern can spell
            continue
    if not items:
        return ()
    description = f"editing ({hook.event.tool} hook)"
    request = ClaimRequest(hook.repo, hook.party, tuple(items), description=description)
    outcome = claim_scopes(request, hook.caller)
    if outcome.granted:
        return ()
    conflicts = [
        _holder(
            {
                "path": conflict.item.sent,
                "holder": conflict.holder.engineer,
                "pattern": conflict.holder.pattern,
                "claim_id": conflict.holder.id,
                "minutes_left": _minutes(conflict.holder.expires_at),
                "description": conflict.holder.description,
            }
        )
        for conflict in outcome.conflicts
    ]
    queued = [
        Holder(one.sent, one.ticket.party.engineer, one.pattern, "", None, "next in line", False)
        for one in outcome.behind
    ]
    return (*conflicts, *queued)


def _held_globs(hook: Hook, patterns: tuple[str, ...]) -> tuple[Holder, ...]:
    """Who holds what a command's globs and pathspecs name."""
    readable = []
    for pattern in patterns:
        try:
            read_items([{"pattern": pattern}], case_insensitive=False)
        except ItemError:
            continue
        readable.append(pattern)
    if not readable:
        return ()
    sessions = (hook.party.session_id,) if hook.party.session_id else ()
    found = check_conflicts(Check(hook.repo, hook.party, readable, sessions=sessions))["conflicts"]
    return tuple(
        _holder(
            {
                "path": row["your_pattern"],
                "holder": row["engineer"],
                "pattern": row["pattern"],
                "claim_id": row.get("claim_id"),
                "minutes_left": -(-row["seconds_left"] // 60) if "seconds_left" in row else None,
                "description": None,
            }
        )
        for row in found
    )


def _pattern(path: str) -> str:
    """A path as a pattern: a leading ``!`` would read as a negation."""
    return f"./{path}" if path.startswith(("!", "#", " ")) else path


def _minutes(until: Any) -> int:
    return max(0, -int(-(until - clock.now()).total_seconds() // 60))


def _holder(row: dict[str, Any]) -> Holder:
    return Holder(
        path=clean(row["path"], 300),
        engineer=clean(row["holder"], 80),
        pattern=clean(row["pattern"], 160),
        claim_id=row["claim_id"] or "",
        minutes=row["minutes_left"],
        description=clean(row["description"] or "", 80),
        symbol=False,
    )


def _others(hook: Hook) -> str:
    """What others hold in the repository, in one line; empty when nobody holds anything."""
    page = list_claims(ClaimFilter(repo=hook.repo, limit=LISTED * 5), hook.caller)
    shown = [
        f"{clean(claim.pattern, 120)} ({clean(claim.engineer, 60)})"
        for claim in page.claims
        if not hook.party.is_same(claim.engineer, claim.session_id)
    ]
    if not shown:
        return ""
    more = len(shown) - LISTED
    rest = f" and {more} more" if more > 0 else ""
    return f"coord: held by others in this repository: {', '.join(shown[:LISTED])}{rest}."
