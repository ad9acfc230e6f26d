"""Asking without claiming: the same verdict as ``POST /claims``, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from claims import answers, checkout, line
from claims.locks import Locked, glance
from claims.parties import Party
from claims.scopes import ClaimRequest, Item, ItemError, read_items
from claims.verdicts import Question, Verdict, judge
from common import clock
from common.caller import short_session
from common.errors import Invalid
from ownership.selectors import current_rules
from patterns import parse


@dataclass(frozen=True, slots=True)
class Check:
    """What to ask: patterns and symbols (``file::path``) for a party in a repository."""

    repo: str
    party: Party
    patterns: Sequence[str] = ()
    symbols: Sequence[str] = ()
    sessions: Sequence[str] = ()


def check_conflicts(check: Check) -> dict[str, Any]:
    """The answer of ``GET /conflicts``. Raises :class:`Invalid` for a pattern that cannot be read."""
    seen = glance(check.repo)
    items = _items(check, bool(seen and seen.case_insensitive))
    if seen is None:
        return _answer([])
    rules = current_rules()
    question = Question(
        seen.id,
        seen.now,
        check.party,
        seen.case_insensitive,
        sessions=tuple(check.sessions),
        shared=rules.shared(check.repo, case_insensitive=seen.case_insensitive),
    )
    verdict = judge(question, items)
    entries = _held(verdict, check, seen.case_insensitive, seen.now)
    if seen.line:
        entries += _queued(seen, check, items, verdict)
    return _answer(entries)


def _items(check: Check, case_insensitive: bool) -> tuple[Item, ...]:
    raw: list[dict[str, Any]] = [{"pattern": pattern} for pattern in check.patterns]
    for text in check.symbols:
        file, separator, path = text.partition("::")
        if not separator or not file or not path:
            raise Invalid(
                f"symbol '{text[:100]}' is not <file>::<path>",
                next="Write symbol=src/app.py::Class::method.",
            )
        raw.append({"pattern": file, "symbols": [path]})
    if not raw:
        raise Invalid("Provide one or more pattern= query params", next="Add pattern=<path or glob>.")
    try:
        return read_items(raw, case_insensitive=case_insensitive)
    except ItemError as error:
        raise Invalid(error.warning, next=error.hint) from error


def _held(verdict: Verdict, check: Check, case_insensitive: bool, now: Any) -> list[dict[str, Any]]:
    if not verdict.conflicts:
        return []
    files = checkout.of_repository(check.repo)
    ordered = sorted(verdict.conflicts, key=lambda c: (c.index, c.holder.expires_at, c.holder.fence))
    return [
        {
            "your_pattern": conflict.item.sent,
            "engineer": conflict.holder.engineer,
            "pattern": conflict.holder.pattern,
            "severity": conflict.holder.severity,
            "expires_at": clock.iso(conflict.holder.expires_at),
            "overlap": answers.overlap_paths(
                conflict.item.pattern,
                parse(conflict.holder.pattern, case_insensitive=case_insensitive),
                files,
            ),
            "kind": "held",
            "claim_id": conflict.holder.id,
            "session": short_session(conflict.holder.session_id),
            "scope_type": conflict.holder.scope_type,
            "seconds_left": answers.seconds_left(conflict.holder.expires_at, now),
            "next": answers.next_step(conflict.holder, answers.seconds_left(conflict.holder.expires_at, now)),
            **({"symbol_overlap": overlap} if (overlap := answers.symbol_overlap(conflict, files)) else {}),
        }
        for conflict in ordered
    ]


def _queued(seen: Locked, check: Check, items: tuple[Item, ...], verdict: Verdict) -> list[dict[str, Any]]:
    request = ClaimRequest(check.repo, check.party, items)
    before = line.standing_before(seen, request, verdict, line.in_line(seen))
    others = [one for one in before if one[1].party.session_id not in check.sessions]
    return [
        {
            "your_pattern": behind.sent,
            "engineer": behind.ticket.party.engineer,
            "pattern": behind.pattern,
            "severity": "soft",
            "expires_at": clock.iso(behind.expires_at),
            "overlap": [answers.UNKNOWN],
            "kind": "queued",
            "queue_id": behind.ticket.id,
            "position": behind.position,
            "session": short_session(behind.ticket.party.session_id),
            "next": "Claim with wait_seconds to stand behind.",
        }
        for behind in line.named(request, others)
    ]


def _answer(entries: list[dict[str, Any]]) -> dict[str, Any]:
    suggestion = None
    if entries:
        first = entries[0]
        suggestion = (
            f"{first['engineer']} holds {first['pattern']} until {first['expires_at']}. {first['next']}"
            if first["kind"] == "held"
            else f"{first['engineer']} is next in line for {first['pattern']}. {first['next']}"
        )
    return {
        "has_conflicts": bool(entries),
        "conflicts": entries,
        "safe_to_proceed": not entries,
        "safe": not entries,
        "suggestion": suggestion,
    }
