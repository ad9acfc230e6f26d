"""The panels: each has a name, a title, the permission to see it, and what its template is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from claims.models import Claim
from claims.parties import Party
from common.caller import short_session
from coordsite.dashboard import attention, graphs, pictures
from coordsite.dashboard.graphs import Wait
from coordsite.dashboard.history import History
from coordsite.dashboard.look import Look
from coordsite.dashboard.pictures import Bar, Spark

Context = dict[str, Any]
MOST_HEAT_ROWS = 12
MOST_HOTSPOTS = 10


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page that is drawn and swapped by itself. ``shape``: ``wide``, ``tall`` or empty.

    ``counted`` panels show nothing but the history's figures, the day and what the ownership document says
    of patterns: drawn once per count.
    """

    name: str
    title: str
    permission: str
    context: Callable[[Look], Context]
    shape: str = ""
    note: str = ""
    counted: bool = False

    @property
    def template(self) -> str:
        """What draws its inside."""
        return f"dashboard/panels/{self.name}.html"


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline number, what it means, and its trend over 24 hours."""

    name: str
    value: int
    note: str
    trend: Spark | None
    unit: str
    alarm: bool = False


def _headline(look: Look) -> Context:
    history, busy, lines = look.history, len(look.active), _plural(len(look.lines), "line")
    made = "" if history is None else f"{sum(n for n, _ in history.made.values())} made in 24 h"
    return {
        "figures": [
            _figure("Active claims", sum(look.active.values()), made, history, "active"),
            _figure("Blocked now", look.refused[1], "holder still there", history, "conflicts", alarm=True),
            _figure("Waiting now", look.waiting, lines, history, "waits", alarm=True),
            _figure("Conflicts, 24 h", look.refused[0], "requests refused", history, "conflicts"),
            _figure("Repositories", look.repositories_used, f"{busy} with live claims", history, "began"),
        ]
    }


_UNITS = {
    "active": "active claims",
    "conflicts": "refused requests per hour",
    "waits": "tickets per hour",
    "began": "new claims per hour",
}


def _figure(
    name: str, value: int, note: str, history: History | None, trend: str, *, alarm: bool = False
) -> Figure:
    drawn = None if history is None else pictures.spark(getattr(history, trend))
    return Figure(name, value, note, drawn, _UNITS[trend], alarm and value > 0)


def _plural(count: int, one: str) -> str:
    return f"{count} {one}{'' if count == 1 else 's'}"


def _attention(look: Look) -> Context:
    return {"items": attention.items(look)}


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A live claim in the list."""

    claim: Claim
    session: str | None
    symbols: tuple[str, ...]
    waiters: tuple[str, ...]
    requests: int
    partners: int
    ends_soon: bool


def _claims(look: Look) -> Context:
    rows = []
    for claim in look.claims:
        contended = look.contended.get(claim.id)
        rows.append(
            ClaimRow(
                claim,
                short_session(claim.session_id),
                tuple(symbol.path for symbol in claim.symbols.all()),
                tuple(dict.fromkeys(w.ticket.engineer for w in contended.waiters)) if contended else (),
                len(contended.requests) if contended else 0,
                look.partners.get(claim.id, 0),
                claim.expires_at - look.now <= attention.SOON,
            )
        )
    return {"rows": rows, "total": sum(look.active.values())}


def _queue(look: Look) -> Context:
    return {"lines": look.lines, "total": look.waiting}


def _graph(look: Look) -> Context:
    waits: list[Wait] = []
    details: dict[str, str] = {}
    for line in look.lines:
        for waiter in line.waiters:
            me = waiter.party.label
            details[me] = f"waits in {line.repo}" if line.repo else "waits"
            for holder in waiter.blockers:
                waits.append(Wait(me, holder.party.label, holder.pattern, True))
                details.setdefault(holder.party.label, f"holds in {line.repo}" if line.repo else "holds")
            if not waiter.blockers:
                waits += [
                    Wait(me, Party(ahead.engineer, ahead.session_id).label, waiter.patterns[0], False)
                    for ahead in waiter.behind
                ]
    return {"graph": graphs.graph(waits, details) if waits else None}


def _requests(look: Look) -> Context:
    rows = [
        (request, request.decided_at - request.created_at if request.decided_at else None)
        for request in look.requests
    ]
    return {"rows": rows, "open": len(look.open_requests)}


def _conflicts(look: Look) -> Context:
    return {"rows": look.refusals}


def _hotspots(look: Look) -> Context:
    spots = None if look.history is None else look.history.hotspots
    most = max((spot.attempts for spot in spots or ()), default=1)
    rows = [
        (spot, look.marks.of(spot.pattern), round(100 * spot.attempts / most))
        for spot in (spots or ())[:MOST_HOTSPOTS]
    ]
    return {"rows": rows, "counted": spots is not None, "more": max(0, len(spots or ()) - MOST_HOTSPOTS)}


def _modules(look: Look) -> Context:
    modules = () if look.history is None else look.history.modules
    most = max((module.claims for module in modules), default=1)
    return {
        "rows": [(module, max(1, round(100 * module.claims / most))) for module in modules],
        "counted": look.history is not None,
    }


def _conflict_days(look: Look) -> Context:
    if look.history is None:
        return {"rows": [], "counted": False}
    rows = pictures.heat_rows(look.history.conflict_days, look.now.date(), limit=MOST_HEAT_ROWS)
    return {"rows": rows, "counted": True, "unit": "conflicts"}


def _resolution_days(look: Look) -> Context:
    if look.history is None:
        return {"rows": [], "counted": False}
    coexist, narrow = look.history.coexist_days, look.history.narrow_days
    keys = coexist.keys() | narrow.keys()
    counts = {key: coexist.get(key, 0) + narrow.get(key, 0) for key in keys}
    notes = {key: f"{coexist.get(key, 0)} side by side, {narrow.get(key, 0)} carved out" for key in keys}
    today = look.now.date().isoformat()
    rows = pictures.heat_rows(counts, look.now.date(), limit=MOST_HEAT_ROWS, notes=notes)
    return {
        "rows": rows,
        "counted": True,
        "unit": "automatic resolutions",
        "coexist": sum(n for (_, day), n in coexist.items() if day == today),
        "narrow": sum(n for (_, day), n in narrow.items() if day == today),
    }


def _webhooks(look: Look) -> Context:
    rows = [] if look.history is None else list(look.history.outbox.items())
    return {
        "rows": [(kind, states, sum(states.values())) for kind, states in rows],
        "troubles": look.troubles,
    }


def _repositories(look: Look) -> Context:
    return {"rows": look.repositories, "more": max(0, look.repositories_used - len(look.repositories))}


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A claim on the timeline."""

    claim: Claim
    bar: Bar
    live: bool
    ended: datetime
    held: timedelta
    contended: bool = field(default=False)


def _timeline(look: Look) -> Context:
    claims = look.recent
    span = pictures.span(look.now, [claim.created_at for claim in claims])
    rows = []
    for claim in claims:
        live = claim.released_at is None and claim.expires_at > look.now
        ended = claim.released_at or min(claim.expires_at, look.now)
        bar = span.bar(claim.created_at, None if live else ended, claim.expires_at)
        contended = claim.id in look.contended
        rows.append(TimelineRow(claim, bar, live, ended, ended - claim.created_at, contended))
    return {"rows": rows, "span": span, "now_at": span.at(look.now)}


PANELS = (
    Panel("headline", "Now", "claims.view_claim", _headline, shape="wide"),
    Panel("attention", "Needs attention", "claims.view_claim", _attention, shape="wide"),
    Panel("claims", "Active claims", "claims.view_claim", _claims, shape="wide"),
    Panel("graph", "Who waits for whom", "queueing.view_ticket", _graph),
    Panel("queue", "Pending queue", "queueing.view_ticket", _queue, shape="tall"),
    Panel("modules", "Top modules", "claims.view_claim", _modules, note="24 h", counted=True),
    Panel("requests", "Release requests", "claims.view_releaserequest", _requests),
    Panel("conflicts", "Recent conflicts", "ownership.view_contention", _conflicts, shape="tall"),
    Panel("webhooks", "Webhook delivery", "webhooks.view_delivery", _webhooks, note="24 h"),
    Panel(
        "hotspots",
        "Hotspots",
        "ownership.view_contention",
        _hotspots,
        shape="wide",
        note="30 days",
        counted=True,
    ),
    Panel(
        "conflict_days",
        "Conflicts per day",
        "ownership.view_contention",
        _conflict_days,
        shape="wide",
        note="30 days",
        counted=True,
    ),
    Panel(
        "resolution_days",
        "Resolved automatically per day",
        "webhooks.view_event",
        _resolution_days,
        shape="wide",
        note="30 days",
        counted=True,
    ),
    Panel("timeline", "Claim timeline", "claims.view_claim", _timeline, shape="wide", note="newest claims"),
    Panel("repositories", "Repositories", "claims.view_claim", _repositories, shape="wide"),
)
