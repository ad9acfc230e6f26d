"""How rows look on the wire: the reference's fields in its order, ours added behind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from claims import checkout, sources
from claims.candidates import Holder
from claims.line import Behind
from claims.models import Claim, ClaimSymbol, ReleaseRequest
from claims.selectors.due import decision_of
from claims.services.claiming import Outcome
from claims.verdicts import Conflict
from common import clock
from common.caller import Caller, short_session
from common.errors import ErrorCode
from patterns import Pattern, matches, parse, witness
from queueing import services as tickets
from queueing.models import Ticket

Json = dict[str, Any]
OPTIONS = ["wait", "narrow_claim", "escalate", "override"]
UNKNOWN = "<unknown>"


def repo_or_null(name: str) -> str | None:
    """The repository as the API names it; the one without an id is null."""
    return name or None


def claim_row(claim: Claim, partners: Sequence[str], caller: Caller) -> Json:
    """A claim in ``GET /claims``, as the caller may see it: the reference's 17 keys and ours."""
    return {
        "id": claim.id,
        "engineer": claim.engineer,
        "branch": claim.branch,
        "description": claim.description,
        "claim_type": claim.claim_type,
        "pattern": claim.pattern,
        "severity": claim.severity,
        "created_at": clock.iso(claim.created_at),
        "expires_at": clock.iso(claim.expires_at),
        "released_at": clock.iso(claim.released_at),
        "repo": repo_or_null(claim.repository.name),
        "session_id": caller.shown(claim.session_id),
        "last_activity": clock.iso(claim.last_activity),
        "coexists_with": json.dumps(list(partners)) if partners else None,
        "ttl_shortened": int(claim.shortened_from is not None),
        "scope_type": claim.scope_type,
        "narrowable": int(claim.narrowable),
        "fence": claim.fence,
        "end_reason": claim.end_reason or None,
    }


def granted_claim(claim: Claim) -> Json:
    """A claim as the answer to a grant shows it."""
    return {
        "id": claim.id,
        "pattern": claim.pattern,
        "fence": claim.fence,
        "expires_at": clock.iso(claim.expires_at),
        "severity": claim.severity,
        "scope_type": claim.scope_type,
    }


def claim_answer(outcome: Outcome, warnings: Sequence[str] = ()) -> Json:
    """The body of ``POST /claims``, granted or refused."""
    return {
        "claim_ids": [claim.id for claim in outcome.claims],
        "conflicts": conflict_entries(outcome),
        "warnings": [*outcome.warnings, *warnings],
        "options": [] if outcome.granted else OPTIONS,
        "claims": [granted_claim(claim) for claim in outcome.claims],
    }


def refusal_fields(outcome: Outcome, *, reason: str | None = None) -> Json:
    """What a 409 says beside the conflicts: why, whether to retry, where the place in line was."""
    code = ErrorCode.CONFLICT if outcome.conflicts or not outcome.behind else ErrorCode.QUEUED
    if outcome.cycle:
        code = ErrorCode.DEADLOCK
    elif reason == "timeout":
        code = ErrorCode.TIMEOUT
    elif reason is not None:
        code = ErrorCode.CANCELLED
    fields: Json = {
        "code": code,
        "retryable": code is not ErrorCode.DEADLOCK,
        "retry_after_s": _retry_after(outcome),
        "next": _next(outcome, code),
    }
    if outcome.cycle:
        fields |= _deadlock(outcome)
    if outcome.ticket is not None:
        fields |= {"queue_id": outcome.ticket.id, "position": outcome.position}
        if reason is not None:
            fields["reason"] = reason
    return fields


def in_line_answer(outcome: Outcome) -> Json:
    """The body of a 202: the place in line that outlives the call."""
    if outcome.ticket is None:
        raise ValueError("not in line")
    holder = outcome.conflicts[0].holder.party.label if outcome.conflicts else None
    if holder is None and outcome.behind:
        holder = outcome.behind[0].ticket.party.label
    return {
        **claim_answer(outcome),
        "queue_id": outcome.ticket.id,
        "position": outcome.position,
        "holder": holder,
        "eta_s": outcome.eta_s,
        "poll_after_s": 0,
        "expires_at": clock.iso(outcome.ticket.expires_at),
        "next": f"GET /requests/queue/{outcome.ticket.id}?wait=25 goes on waiting and picks up the grant.",
    }


def conflict_entries(outcome: Outcome) -> list[Json]:
    """The conflicts in the order of the items; holders by the end of their leases."""
    symbols = holder_symbols([conflict.holder for conflict in outcome.conflicts])
    ordered = sorted(outcome.conflicts, key=lambda c: (c.index, c.holder.expires_at, c.holder.fence))
    files = checkout.of_repository(outcome.repo) if ordered else None
    entries = [_conflict(conflict, outcome.now, symbols, files) for conflict in ordered]
    return entries + [_behind(behind, outcome.now) for behind in outcome.behind]


def holder_symbols(holders: Sequence[Holder]) -> dict[str, list[str]]:
    """The symbol paths of each symbol holder, in one query."""
    ids = [holder.id for holder in holders if holder.scope_type == Claim.Scope.SYMBOL]
    found: dict[str, list[str]] = {claim_id: [] for claim_id in ids}
    if ids:
        rows = ClaimSymbol.objects.filter(claim_id__in=ids).order_by("path")
        for claim_id, path in rows.values_list("claim_id", "path"):
            found[claim_id].append(path)
    return found


def leaves(paths: Sequence[str]) -> list[str]:
    """Sorted unique leaf names, as the reference shows a holder's symbols."""
    return sorted({path.rsplit("::", 1)[-1] for path in paths})


def overlap_paths(mine: Pattern, held: Pattern, files: checkout.Checkout | None) -> list[str]:
    """Real files in both when a checkout is known, else a path that would be, else ``<unknown>``."""
    if files is not None:
        found = files.in_both(mine, held)
        if found:
            return found
    for text in (mine.text, held.text):  # brackets may be part of a name: app/[id]/page.tsx
        if not set("*?") & set(text) and matches(mine, text) and matches(held, text):
            return [text]
    example = witness(mine, held)
    return [example] if example is not None else [UNKNOWN]


def request_row(request: ReleaseRequest, caller: Caller) -> Json:
    """A release request, as the caller may see it: the reference's 16 keys."""
    decision, decided_at = decision_of(request)
    return {
        "id": request.id,
        "claim_id": request.claim_id,
        "requester_engineer": request.requester_engineer,
        "requester_session_id": caller.shown(request.requester_session_id),
        "requested_pattern": request.requested_pattern,
        "reason": request.reason,
        "urgency": request.urgency,
        "decision": decision,
        "decided_at": clock.iso(decided_at),
        "decided_by_engineer": request.decided_by_engineer,
        "decided_by_session_id": caller.shown(request.decided_by_session_id),
        "note": request.note,
        "original_expires_at": clock.iso(request.original_expires_at),
        "shortened_expires_at": clock.iso(request.shortened_expires_at),
        "created_at": clock.iso(request.created_at),
        "requested_scope": request.requested_scope,
    }


def queue_entry(ticket: Ticket, position: int, outcome: Outcome | None) -> Json:
    """A ticket in ``GET /requests?queued=true``."""
    blocker = outcome.conflicts[0].holder if outcome is not None and outcome.conflicts else None
    before = outcome.behind[0] if outcome is not None and outcome.behind else None
    first = (ticket.request.get("items") or [{}])[0]
    result = ticket.result or {}
    return {
        "kind": "queued",
        "queue_id": ticket.id,
        "blocking_claim_id": blocker.id if blocker else None,
        "blocking_engineer": blocker.engineer if blocker else before and before.ticket.party.engineer,
        "blocking_pattern": blocker.pattern if blocker else before and before.pattern,
        "requester_engineer": ticket.engineer,
        "requester_pattern": tickets.first_pattern(ticket),
        "claim_type": first.get("type", "file"),
        "symbols": first.get("symbols"),
        "position": position,
        "state": ticket.state,
        "enqueued_at": clock.iso(ticket.enqueued_at),
        "expires_at": clock.iso(ticket.expires_at),
        "granted_claim_id": (result.get("claim_ids") or [None])[0],
        "priority": ticket.urgency,
        "repo": repo_or_null(ticket.repo),
        "patterns": [item.get("pattern") for item in ticket.request.get("items", [])],
        "eta_s": outcome.eta_s if outcome is not None else None,
        "reason": ticket.end_reason or None,
    }


def _conflict(
    conflict: Conflict, now: datetime, symbols: Mapping[str, list[str]], files: checkout.Checkout | None
) -> Json:
    holder, item = conflict.holder, conflict.item
    held = parse(holder.pattern, case_insensitive=item.pattern.case_insensitive)
    left = seconds_left(holder.expires_at, now)
    return {
        "your_pattern": item.sent,
        "conflicting_claim": {
            "id": holder.id,
            "engineer": holder.engineer,
            "pattern": holder.pattern,
            "severity": holder.severity,
            "description": holder.description,
            "expires_at": clock.iso(holder.expires_at),
            "scope_type": holder.scope_type,
            "symbols": leaves(symbols[holder.id]) if holder.id in symbols else None,
            "session": short_session(holder.session_id),
            "branch": holder.branch,
            "seconds_left": left,
        },
        "overlap": overlap_paths(item.pattern, held, files),
        "your_symbols": list(item.sent_symbols) if item.sent_symbols else None,
        "symbol_overlap": symbol_overlap(conflict, files),
        "kind": "held",
        "next": next_step(holder, left),
    }


def symbol_overlap(conflict: Conflict, files: checkout.Checkout | None) -> list[Json] | None:
    """The asked symbols that the holder's meet, and in which file, with their lines where the source is
    known. Where a glob meets a glob, the asked one stands for the file.
    """
    if not conflict.holder.colliding or not conflict.item.symbols:
        return None
    mine = sorted(
        path
        for path in conflict.item.symbols
        if any(
            path == held or path.startswith(f"{held}::") or held.startswith(f"{path}::")
            for held in conflict.holder.colliding
        )
    )
    file = conflict.item.pattern
    if not file.is_literal:
        held = parse(conflict.holder.pattern, case_insensitive=file.case_insensitive)
        file = held if held.is_literal else file
    entry: Json = {"file": file.text, "symbols": mine}
    if files is not None and file.is_literal:
        entry["lines"] = sources.line_ranges(files, file.text, mine)
    return [entry]


def _behind(behind: Behind, now: datetime) -> Json:
    ticket = behind.ticket
    item = ticket.request.items[0]
    return {
        "your_pattern": behind.sent,
        "conflicting_claim": {
            "id": ticket.id,
            "engineer": ticket.party.engineer,
            "pattern": behind.pattern,
            "severity": "soft",
            "description": ticket.request.description,
            "expires_at": clock.iso(behind.expires_at),
            "scope_type": item.scope_type,
            "symbols": list(item.sent_symbols) if item.sent_symbols else None,
            "session": short_session(ticket.party.session_id),
            "branch": ticket.request.branch,
            "seconds_left": seconds_left(behind.expires_at, now),
        },
        "overlap": [UNKNOWN],
        "your_symbols": None,
        "symbol_overlap": None,
        "kind": "queued",
        "queue_id": ticket.id,
        "position": behind.position,
        "next": f"{ticket.party.engineer} is next in line: repeat with wait_seconds to stand behind.",
    }


def seconds_left(until: datetime, now: datetime) -> int:
    """Whole seconds until a moment, never negative."""
    return max(0, int((until - now).total_seconds()))


def next_step(holder: Holder, left: int) -> str:
    """The one thing to do about a holder."""
    if left <= 600:
        return f"Repeat with wait_seconds: the lease of {holder.party.label} ends in {left} s."
    return f"Ask {holder.party.label} with POST /requests (claim_id {holder.id}), or work elsewhere."


def _retry_after(outcome: Outcome) -> int | None:
    lefts = [seconds_left(c.holder.expires_at, outcome.now) for c in outcome.conflicts]
    return max(1, min(lefts)) if lefts else None


def _next(outcome: Outcome, code: ErrorCode) -> str:
    if code is ErrorCode.DEADLOCK:
        own = outcome.cycle[-1]
        if own.claim_id is None:
            return "Release what you hold and somebody waits for, then claim both in one call."
        return f"Release '{own.pattern}' (claim {own.claim_id}), then claim both in one call."
    if outcome.conflicts:
        holder = outcome.conflicts[0].holder
        return next_step(holder, seconds_left(holder.expires_at, outcome.now))
    return "Repeat with wait_seconds to stand in line."


def _deadlock(outcome: Outcome) -> Json:
    return {
        "cycle": [
            {
                "engineer": link.waiter.engineer,
                "session": short_session(link.waiter.session_id),
                "waits_for": link.pattern,
                "held_by": link.blocker.engineer,
                "claim_id": link.claim_id,
            }
            for link in outcome.cycle
        ],
        "release_first": outcome.cycle[-1].claim_id,
    }
