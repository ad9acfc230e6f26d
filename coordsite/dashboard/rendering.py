"""Panels drawn to HTML, with a tag that changes only with what is drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from django.template.loader import get_template

from common import wakeups
from common.filters import Filter
from coordsite import lanes
from coordsite.dashboard.addressing import write
from coordsite.dashboard.history import Histories, History, count
from coordsite.dashboard.look import Look
from coordsite.dashboard.panels import PANELS, Panel
from ownership import selectors as ownership
from webhooks import selectors as webhooks

COUNTED = "dashboard-counted"
"""Rung when a history was counted anew."""
MAY_EDIT_OWNERSHIP = "ownership.add_revision"
PERMISSIONS = frozenset(panel.permission for panel in PANELS) | {MAY_EDIT_OWNERSHIP}
"""What decides which panels somebody sees, and what is in them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel's inside. Equal tags are equal insides."""

    panel: Panel
    html: str
    tag: str


def permissions_of(user: Any) -> frozenset[str]:
    """Those of :data:`PERMISSIONS` that a user has."""
    return frozenset(permission for permission in PERMISSIONS if user.has_perm(permission))


def visible(permissions: Collection[str]) -> list[Panel]:
    """The panels that these permissions show."""
    return [panel for panel in PANELS if panel.permission in permissions]


def look_at(seen: Filter) -> Look:
    """One look within a filter, with the history that there is."""
    return Look(seen, _history(seen))


def draw(look: Look, permissions: Collection[str]) -> list[Drawn]:
    """Every visible panel of a look. The same for everybody with these permissions."""
    shared = {
        "now": look.now,
        "query": write(look.seen),
        "seen": look.seen,
        "may_edit_ownership": MAY_EDIT_OWNERSHIP in permissions,
    }
    return [_drawn(panel, look, shared) for panel in visible(permissions)]


def pulse() -> tuple[int, int]:
    """Changes whenever something happened that a panel may show. Two cheap queries."""
    return webhooks.last_seq(), ownership.last_refusal()


def _drawn(panel: Panel, look: Look, shared: dict[str, Any]) -> Drawn:
    kept = look.history.drawn if panel.counted and look.history is not None else {}
    name = (panel.name, look.now.date())
    if name not in kept:
        html = get_template(panel.template).render(shared | panel.context(look))
        kept[name] = (html, sha256(html.encode()).hexdigest()[:16])
    return Drawn(panel, *kept[name])


@cache
def histories() -> Histories:
    """This process's."""
    return Histories(lambda: wakeups.ring_local(COUNTED))


def _history(seen: Filter) -> History | None:
    if not lanes.serving():
        return count(seen)
    return histories().get(seen, sum(pulse()))
