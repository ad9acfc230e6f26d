"""Writing a grant: claims, symbols, partnerships and the events that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from claims.locks import Locked
from claims.models import Claim, ClaimSymbol, Partnership
from claims.parties import Party
from claims.scopes import ClaimRequest, Item, ScopeKey
from claims.verdicts import Coexistence, Verdict
from common import clock, metrics
from common.rows import Columns, marks
from ownership.rules import RuleSet
from webhooks.types import EventType, NewEvent


@dataclass(frozen=True, slots=True)
class Grant:
    """Claims in the order of the request's items, and the events to record for them."""

    claims: list[Claim]
    events: list[NewEvent]
    warnings: list[str]


def write_grant(locked: Locked, request: ClaimRequest, verdict: Verdict, rules: RuleSet) -> Grant:
    """Insert what the verdict allows; renew what the party holds already. Records nothing yet.

    The caller holds the lock, has seen ``verdict.conflicts`` empty and records ``events``.
    """
    shared = _shared_items(locked, request, verdict, rules)
    made: dict[int, Claim] = {}
    first: dict[ScopeKey, int] = {}
    for index, item in enumerate(request.items):
        if index not in verdict.held and first.setdefault(item.key, index) == index:
            made[index] = _new_claim(locked, request, item, rules, index in shared)
    insert_claims(list(made.values()))
    write_symbols(locked, request, made)
    renewed = _renew(locked, request, verdict, shared)
    links = link_partners(locked, verdict, made)
    claims = [renewed.get(index) or made[first[item.key]] for index, item in enumerate(request.items)]
    for claim in made.values():
        metrics.claims_created(claim.severity)
    symbols = {claim.id: item.symbols for claim, item in zip(claims, request.items, strict=True)}
    granted = granted_event(request.repo, request.party, claims, symbols=symbols)
    events = [*partner_events(locked, request.party, links), granted]
    return Grant(claims, events, _partner_warnings(verdict))


def _shared_items(locked: Locked, request: ClaimRequest, verdict: Verdict, rules: RuleSet) -> set[int]:
    """The items with the shared lease: on a shared path, or let in because of one."""
    let_in = {c.index for c in verdict.coexistences if c.kind == Partnership.Kind.SHARED}
    return let_in | {
        index for index, item in enumerate(request.items) if rules.is_shared(locked.name, item.pattern)
    }


class _Insert:
    """One prepared statement that inserts rows, given as values in the order of ``columns``; those of
    ``alike`` come last and are the same in all rows.
    """

    def __init__(
        self, model: type[Model], columns: Sequence[str], alike: Sequence[str] = (), ending: str = ""
    ) -> None:
        names = ", ".join(f'"{column}"' for column in (*columns, *alike))
        values = marks([*columns, *alike])
        self._sql = f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({values}){ending}"
        fields = {field.column: field for field in model._meta.concrete_fields}
        self._own, self._alike = (Columns(fields[name] for name in some) for some in (columns, alike))

    def __call__(self, rows: Sequence[Iterable[Any]], *alike: Any) -> None:
        if not rows:
            return
        database = connections[DEFAULT_DB_ALIAS]
        ending = self._alike.prepared(alike, database)
        prepared = [self._own.prepared(row, database) + ending for row in rows]
        with database.cursor() as cursor:
            if len(prepared) == 1:
                cursor.execute(self._sql, prepared[0])
            else:
                cursor.executemany(self._sql, prepared)


_CLAIM_FIELDS = Claim._meta.concrete_fields
_insert_claims = _Insert(Claim, [str(field.column) for field in _CLAIM_FIELDS])
_insert_symbols = _Insert(ClaimSymbol, ["claim_id", "repository_id", "path", "prefix", "open"])
_insert_partnerships = _Insert(
    Partnership,
    ["holder_id", "partner_id", "kind", "pattern"],
    alike=["symbols", "created_at"],
    ending=" ON CONFLICT DO NOTHING",
)


def insert_claims(claims: Sequence[Claim]) -> None:
    """Insert new claims with one prepared statement."""
    _insert_claims([[getattr(claim, field.attname) for field in _CLAIM_FIELDS] for claim in claims])


def lease_end(now: datetime, claim_type: str, ttl_hours: float | None, *, shared: bool = False) -> datetime:
    """When a claim made now ends. Shared files have the shared lease, shared paths it at most."""
    if claim_type == Claim.Type.SHARED_FILE:
        return now + timedelta(hours=settings.COORD.shared_ttl_hours)
    hours = ttl_hours or settings.COORD.default_ttl_hours
    return now + timedelta(hours=min(hours, settings.COORD.shared_ttl_hours) if shared else hours)


def _new_claim(locked: Locked, request: ClaimRequest, item: Item, rules: RuleSet, shared: bool) -> Claim:
    return Claim(
        repository_id=locked.id,
        engineer=request.party.engineer,
        session_id=request.party.session_id,
        branch=request.branch,
        description=request.description,
        claim_type=item.claim_type,
        pattern=item.pattern.text,
        prefix=item.pattern.prefix,
        tail=item.pattern.tail,
        scope_type=item.scope_type,
        narrowable=item.narrowable,
        severity=rules.severity(locked.name, item.pattern),
        fence=locked.next_number(),
        created_at=locked.now,
        expires_at=lease_end(locked.now, item.claim_type, request.ttl_hours, shared=shared),
        last_activity=locked.now if request.party.session_id else None,
    )


def write_symbols(locked: Locked, request: ClaimRequest, made: dict[int, Claim]) -> None:
    """Insert the symbols of new claims (by index of their item)."""
    _insert_symbols(
        [
            (claim.id, locked.id, path, claim.prefix, True)
            for index, claim in made.items()
            for path in request.items[index].symbols or ()
        ]
    )


def _renew(locked: Locked, request: ClaimRequest, verdict: Verdict, shared: set[int]) -> dict[int, Claim]:
    """A scope asked for again is the claim that is held, with a lease that is never shorter."""
    if not verdict.held:
        return {}
    claims = {claim.id: claim for claim in Claim.objects.filter(id__in=verdict.held.values())}
    for index, claim_id in verdict.held.items():
        claim = claims[claim_id]
        end = lease_end(locked.now, claim.claim_type, request.ttl_hours, shared=index in shared)
        if claim.shortened_from is not None:
            claim.shortened_from = max(claim.shortened_from, end)
        else:
            claim.expires_at = max(claim.expires_at, end)
        if claim.session_id:
            claim.last_activity = locked.now
    Claim.objects.bulk_update(claims.values(), ["expires_at", "shortened_from", "last_activity"])
    return {index: claims[claim_id] for index, claim_id in verdict.held.items()}


def link_partners(locked: Locked, verdict: Verdict, made: dict[int, Claim]) -> list[tuple[Coexistence, str]]:
    """Insert what new claims (by index of their item) coexist with, and where; each meeting and its claim."""
    links = [(meeting, made[meeting.index].id) for meeting in verdict.coexistences if meeting.index in made]
    rows: dict[tuple[str, ...] | None, list[tuple[str, ...]]] = {}
    for meeting, claim_id in links:
        row = (meeting.holder.id, claim_id, meeting.kind, meeting.pattern)
        rows.setdefault(meeting.symbols or None, []).append(row)
    for symbols, alike in rows.items():
        _insert_partnerships(alike, symbols and list(symbols), locked.now)
    return links


def partner_events(locked: Locked, party: Party, links: Sequence[tuple[Coexistence, str]]) -> list[NewEvent]:
    """The events of claims of ``party`` that were let in beside others."""
    types = {
        Partnership.Kind.AUTO_COEXIST: EventType.AUTO_COEXIST,
        Partnership.Kind.AUTO_NARROW: EventType.AUTO_NARROW,
        Partnership.Kind.SHARED: EventType.CLAIM_COEXIST,
    }
    return [
        NewEvent(
            type=types[Partnership.Kind(meeting.kind)],
            repo=locked.name,
            actor_engineer=party.engineer,
            actor_session_id=party.session_id,
            claim_id=meeting.holder.id,
            detail={
                "holder_claim_id": meeting.holder.id,
                "requester_claim_id": claim_id,
                "overlapping_paths": [meeting.pattern],
                "overlapping_symbols": (
                    [{"file": meeting.pattern, "symbols": list(meeting.symbols)}]
                    if meeting.symbols and meeting.kind == Partnership.Kind.AUTO_NARROW
                    else []
                ),
            },
        )
        for meeting, claim_id in links
    ]


def granted_event(
    repo: str,
    party: Party,
    claims: Sequence[Claim],
    *,
    symbols: Mapping[str, Sequence[str] | None],
    operator: str | None = None,
    **more: Any,
) -> NewEvent:
    """The event of claims that a party holds from now on; ``symbols`` by claim; ``more`` joins its detail."""
    detail: dict[str, Any] = {
        "claim_ids": [claim.id for claim in claims],
        "engineer": party.engineer,
        "repo": repo or None,
        "session_id": party.session_id,
        "claims": [
            {
                "id": claim.id,
                "pattern": claim.pattern,
                "fence": claim.fence,
                "expires_at": clock.iso(claim.expires_at),
                "claim_type": claim.claim_type,
                "scope_type": claim.scope_type,
                "symbols": list(symbols[claim.id] or ()) or None,
            }
            for claim in claims
        ],
        **more,
    }
    return NewEvent(
        type=EventType.CLAIM_GRANTED,
        repo=repo,
        actor_engineer=party.engineer,
        actor_session_id=party.session_id,
        operator=operator,
        claim_id=claims[0].id,
        detail=detail,
    )


def _partner_warnings(verdict: Verdict) -> list[str]:
    """Who else is there, on shared paths; also for a scope that the party holds already."""
    told = (
        f"'{meeting.pattern}' is shared: {meeting.holder.party.label} is working there too."
        for meeting in verdict.coexistences
        if meeting.kind == Partnership.Kind.SHARED
    )
    return list(dict.fromkeys(told))
