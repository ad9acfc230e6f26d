"""What needs somebody: whose move it is, why, since when, and where to make it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from claims import checkout
from claims.selectors import overview
from common.caller import short_session
from coordsite.dashboard.look import Contended, Look

SOON = timedelta(minutes=10)
MOST = 12
CHECKED_S = 30.0
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs somebody. ``level`` is ``now``, ``soon`` or ``watch``.

    ``since`` is when it began, ``until`` when it ends by itself; either may be unknown. ``model`` and
    ``key`` name the record where the move is made.
    """

    level: str
    kind: str
    mover: str
    what: str
    why: str
    since: datetime | None = None
    until: datetime | None = None
    model: str = ""
    key: str = ""


_LEVELS = ("now", "soon", "watch")


def items(look: Look) -> list[Item]:
    """Everything that needs somebody, the most pressing first; cut."""
    found = [*_contended(look), *_receivers(look), *_silent(look), *_checkouts()]
    oldest = datetime.max.replace(tzinfo=look.now.tzinfo)
    found.sort(key=lambda item: (_LEVELS.index(item.level), item.since or oldest, item.what))
    return found[:MOST]


def _contended(look: Look) -> Iterator[Item]:
    claims = {claim.id: claim for claim in look.claims}
    for claim_id, contended in look.contended.items():
        claim = claims.get(claim_id)
        if claim is None:
            continue
        ends_soon = claim.expires_at - look.now <= SOON
        if contended.requests:
            first = contended.requests[0]
            yield Item(
                "now",
                "asked to release",
                claim.engineer,
                claim.pattern,
                f"{first.requester_engineer} asks for it: {first.reason or 'no reason given'}",
                since=first.created_at,
                until=claim.expires_at,
                model="claims_claim",
                key=claim_id,
            )
        elif contended.waiters:
            yield Item(
                "watch" if ends_soon else "soon",
                "lease about to end" if ends_soon else "others wait",
                "nobody" if ends_soon else claim.engineer,
                claim.pattern,
                _who_waits(contended),
                since=min(waiter.ticket.enqueued_at for waiter in contended.waiters),
                until=claim.expires_at,
                model="claims_claim",
                key=claim_id,
            )


def _who_waits(contended: Contended) -> str:
    names = list(dict.fromkeys(waiter.ticket.engineer for waiter in contended.waiters))
    shown = ", ".join(names[:2])
    rest = len(names) - 2
    return f"{shown}{f' and {rest} more' if rest > 0 else ''} {'wait' if len(names) > 1 else 'waits'}"


def _receivers(look: Look) -> Iterator[Item]:
    for trouble in look.troubles:
        paused = ", paused" if trouble.endpoint.paused else ""
        yield Item(
            "now",
            "dead receiver",
            OPERATOR,
            trouble.endpoint.url,
            f"{trouble.waiting} events wait, {trouble.lost} given up today{paused}"
            + (f": {trouble.last_error}" if trouble.last_error else ""),
            model="webhooks_endpoint",
            key=str(trouble.endpoint.pk),
        )


def _silent(look: Look) -> Iterator[Item]:
    for silent in look.silent:
        count = f"{silent.claims} claim{'s' if silent.claims != 1 else ''}"
        where = f" in {silent.repo}" if silent.repo else ""
        yield Item(
            "watch",
            "no sign of life",
            silent.engineer,
            f"{count}{where}",
            f"session {short_session(silent.session_id)}; released when the idle time is over",
            since=silent.last_activity,
            until=silent.ends_at,
            model="claims_holdingsession" if silent.session_id else "claims_claim",
            key=silent.claim_id,
        )


def _checkouts() -> Iterator[Item]:
    for name, problem in broken_checkouts():
        yield Item(
            "soon",
            "broken checkout",
            OPERATOR,
            name or "(no repository)",
            problem,
            model="claims_repository",
        )


_lock = threading.Lock()
_checked: tuple[float, tuple[tuple[str, str], ...]] = (float("-inf"), ())


def broken_checkouts() -> tuple[tuple[str, str], ...]:
    """Repositories whose checkout cannot be read, and why. Looked at twice a minute: it asks git."""
    global _checked
    with _lock:
        if time.monotonic() - _checked[0] > CHECKED_S:
            names = overview.checkouts_configured()
            if settings.COORD.repo_root:
                names = [*names, ""]
            found = [(name, checkout.of_repository(name)) for name in names]
            broken = tuple((name, one.problem) for name, one in found if one is not None and one.problem)
            _checked = (time.monotonic(), broken)
        return _checked[1]


def forget() -> None:
    """Look at the checkouts again next time."""
    global _checked
    _checked = (float("-inf"), ())
