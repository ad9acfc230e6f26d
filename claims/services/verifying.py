"""Whose are these changes? The question of a push or a CI gate, per path, with the fences of the claims used.

The verdict on others is that of ``POST /claims``. A fence that is not a live claim's stays refused for good:
a lease found to have run out is closed before the answer, so nothing can bring it back to life.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from claims import answers
from claims.candidates import Holder
from claims.locks import Locked, glance, idle_cutoff
from claims.models import Claim, Partnership
from claims.parties import Party
from claims.scopes import Item
from claims.services.ending import settle
from claims.verdicts import Question, Verdict, judge
from common import clock
from common.caller import short_session
from common.errors import Invalid
from common.rows import batches
from ownership.selectors import current_rules
from patterns import Pattern, PatternError, literal, overlaps, parse

MOST_STALE_GLOBS = 100
YOURS, UNCLAIMED, HELD, STALE = "yours", "unclaimed", "held_by_other", "stale_fence"
_NEXT = {
    HELD: "Leave the held paths out, or wait until their holder releases them.",
    STALE: "Claim the paths again, read what changed since, then verify with the new claim.",
    UNCLAIMED: "Nobody stands in the way; claim the unclaimed paths to keep it so.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A changed path; a rename counts both its sides."""

    path: str
    old_path: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to land, and for whom. ``claims`` maps the ids of the claims it was made under to their fences.

    ``trusted`` callers name no engineer and no session when the claims alone say whose the change is.
    """

    repo: str
    party: Party
    changes: Sequence[Change]
    claims: dict[str, int] = field(default_factory=dict)
    sessions: tuple[str, ...] = ()
    trusted: bool = False
    base: str | None = None
    head: str | None = None

    @property
    def anonymous(self) -> bool:
        """Whether neither an engineer nor a session was named."""
        return not self.party.engineer and self.party.session_id is None and not self.sessions

    def owns(self, claim: Claim) -> bool:
        """Whether a presented claim is this party's to present."""
        if self.anonymous:
            return self.trusted
        return claim.session_id in self.sessions or self.party.is_same(claim.engineer, claim.session_id)


@dataclass(slots=True)
class _Fences:
    """The claims that were presented, sorted into good and refused ones."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    good: frozenset[str] = frozenset()
    roots: set[str] = field(default_factory=set)
    globs: list[Pattern] = field(default_factory=list)
    everywhere: bool = False

    def refuses(self, path: Pattern) -> bool:
        """Whether a refused claim covers the path. One that nobody can look up any more covers every path."""
        if self.everywhere:
            return True
        parts = path.prefix.split("/")
        if any("/".join(parts[: depth + 1]) in self.roots for depth in range(len(parts))):
            return True
        return any(overlaps(glob, path) for glob in self.globs)


def verify_changes(asked: Changes) -> dict[str, Any]:
    """Per path ``yours``, ``unclaimed``, ``held_by_other`` or ``stale_fence``; nothing is claimed.

    ``yours``: a live claim that was presented with its fence, or another one of the party. What a refused
    claim covers is ``stale_fence`` unless a presented live one covers it too. Raises :class:`Invalid` for a
    path that cannot be one.
    """
    presented = _presented(asked)
    seen = glance(asked.repo)
    paths = _paths(asked.changes, bool(seen and seen.case_insensitive))
    now = seen.now if seen else clock.now()
    fences = _judge_fences(asked, presented, now)
    items = [Item(sent=path, pattern=pattern) for path, pattern in paths.items()]
    verdict = judge(_question(asked, seen, fences), items) if seen else Verdict()
    others = _others(verdict)
    rows = [
        _row(item, fences, others.get(index), verdict.own.get(index, []), now)
        for index, item in enumerate(items)
    ]
    counts = {kind: sum(row["verdict"] == kind for row in rows) for kind in (YOURS, UNCLAIMED, HELD, STALE)}
    worst = next((kind for kind in (HELD, STALE, UNCLAIMED) if counts[kind]), None)
    return {
        "ok": not counts[HELD] and not counts[STALE],
        "repo": answers.repo_or_null(asked.repo),
        "base": asked.base,
        "head": asked.head,
        "counts": counts,
        "paths": rows,
        "claims": fences.rows,
        "next": _NEXT[worst] if worst else None,
    }


def _presented(asked: Changes) -> dict[str, Claim]:
    """The presented claims that exist in the repository. What has run out among them is closed first."""
    query = Claim.objects.filter(id__in=list(asked.claims), repository__name=asked.repo)
    found = {claim.id: claim for claim in query}
    now = clock.now()
    if any(claim.released_at is None and _over(claim, now) for claim in found.values()):
        settle(asked.repo)
        found = {claim.id: claim for claim in query.all()}
    return found


def _over(claim: Claim, now: datetime) -> bool:
    idle = claim.last_activity is not None and claim.last_activity <= idle_cutoff(now)
    return claim.expires_at <= now or idle


def _paths(changes: Sequence[Change], case_insensitive: bool) -> dict[str, Pattern]:
    """Every path that changes, in order and once, as the pattern of just that path."""
    paths: dict[str, Pattern] = {}
    for index, change in enumerate(changes):
        for path in (change.old_path, change.path):
            if path is None or path in paths:
                continue
            try:
                paths[path] = literal(path, case_insensitive=case_insensitive)
            except PatternError as error:
                raise Invalid(f"changes[{index}]: {error}", next=error.hint or "Correct the path.") from error
    return paths


def _judge_fences(asked: Changes, presented: dict[str, Claim], now: datetime) -> _Fences:
    fences = _Fences()
    good = set()
    for claim_id, fence in asked.claims.items():
        claim = presented.get(claim_id)
        state = _state(asked, claim, fence, now)
        fences.rows.append({"id": claim_id, "fence": fence, "state": state})
        if state == "live":
            good.add(claim_id)
        elif claim is None:
            fences.everywhere = True
        else:
            pattern = parse(claim.pattern, case_insensitive=claim.repository.case_insensitive)
            if pattern.is_literal:
                fences.roots.add(pattern.prefix)
            elif len(fences.globs) < MOST_STALE_GLOBS:
                fences.globs.append(pattern)
            else:
                fences.everywhere = True
    fences.good = frozenset(good)
    return fences


def _state(asked: Changes, claim: Claim | None, fence: int, now: datetime) -> str:
    if claim is None:
        return "unknown"
    if not asked.owns(claim):
        return "not_yours"
    if claim.released_at is not None or _over(claim, now):
        return "ended"
    return "live" if claim.fence == fence else "wrong_fence"


def _question(asked: Changes, seen: Locked, fences: _Fences) -> Question:
    return Question(
        seen.id,
        seen.now,
        asked.party,
        seen.case_insensitive,
        sessions=asked.sessions,
        shared=current_rules().shared(asked.repo, case_insensitive=seen.case_insensitive),
        own_claims=fences.good,
    )


def _others(verdict: Verdict) -> dict[int, Holder]:
    """Per item the holder that stands in the way: the one whose lease lasts longest.

    A file may be changed by all who hold symbols of it, or agreed to share it: who has a partnership with
    the holder there is not in its way.
    """
    mine = {holder.id for held in verdict.own.values() for holder in held}
    theirs = {conflict.holder.id for conflict in verdict.conflicts}
    scopes = _shared_scopes(mine, theirs)
    found: dict[int, Holder] = {}
    for conflict in verdict.conflicts:
        holder, known = conflict.holder, found.get(conflict.index)
        own = verdict.own.get(conflict.index, [])
        if any(_shares(conflict.item, scopes.get((one.id, holder.id), [])) for one in own):
            continue
        if known is None or holder.expires_at > known.expires_at:
            found[conflict.index] = holder
    return found


def _shared_scopes(mine: set[str], theirs: set[str]) -> dict[tuple[str, str], list[str]]:
    """The patterns on which claims of ours and claims of theirs agreed to coexist."""
    scopes: dict[tuple[str, str], list[str]] = defaultdict(list)
    ids = sorted(mine)
    for chunk in batches(ids if theirs else [], 400):
        links = Partnership.objects.filter(Q(holder_id__in=chunk) | Q(partner_id__in=chunk))
        for holder, partner, pattern in links.values_list("holder_id", "partner_id", "pattern"):
            for ours, other in ((holder, partner), (partner, holder)):
                if ours in mine and other in theirs:
                    scopes[ours, other].append(pattern)
    return scopes


def _shares(item: Item, scopes: Sequence[str]) -> bool:
    folded = item.pattern.case_insensitive
    return any(overlaps(parse(scope, case_insensitive=folded), item.pattern) for scope in scopes)


def _row(
    item: Item, fences: _Fences, other: Holder | None, own: list[Holder], now: datetime
) -> dict[str, Any]:
    if other is not None:
        left = answers.seconds_left(other.expires_at, now)
        return _entry(item, HELD, other, now, answers.next_step(other, left))
    good = next((holder for holder in own if holder.id in fences.good), None)
    if good is not None:
        return _entry(item, YOURS, good, now)
    if fences.refuses(item.pattern):
        return _entry(item, STALE, None, now, _NEXT[STALE])
    return _entry(item, YOURS, own[0], now) if own else _entry(item, UNCLAIMED, None, now)


def _entry(
    item: Item, verdict: str, holder: Holder | None, now: datetime, next_step: str | None = None
) -> dict[str, Any]:
    left = answers.seconds_left(holder.expires_at, now) if holder else None
    return {
        "path": item.sent,
        "verdict": verdict,
        "claim_id": holder.id if holder else None,
        "fence": holder.fence if holder else None,
        "holder": holder.engineer if holder else None,
        "session": short_session(holder.session_id) if holder else None,
        "pattern": holder.pattern if holder else None,
        "description": holder.description if holder else None,
        "expires_at": clock.iso(holder.expires_at) if holder else None,
        "minutes_left": None if left is None else -(-left // 60),
        "next": next_step,
    }
