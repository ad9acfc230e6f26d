"""Panels drawn to HTML, with a tag that changes only with what is drawn."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from django.template.loader import get_template

from common import clock, wakeups
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
KEPT_FOR = timedelta(seconds=1)
"""How long a drawing is as good as a new one while nothing happens."""
MOST_KEPT = 32
PERMISSIONS = frozenset(panel.permission for panel in PANELS) | {MAY_EDIT_OWNERSHIP}
"""What decides which panels somebody sees, and what is in them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel's inside. Equal tags are equal insides."""

    panel: Panel
    html: str
    tag: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Every visible panel of one look, and the engineers to choose from. The same for everybody with the
    same permissions. ``beat`` is the pulse just before.
    """

    at: datetime
    beat: tuple[int, int]
    history: History | None
    engineers: tuple[str, ...]
    panels: tuple[Drawn, ...]


def permissions_of(user: Any) -> frozenset[str]:
    """Those of :data:`PERMISSIONS` that a user has."""
    return frozenset(permission for permission in PERMISSIONS if user.has_perm(permission))


def visible(permissions: Collection[str]) -> list[Panel]:
    """The panels that these permissions show."""
    return [panel for panel in PANELS if panel.permission in permissions]


def count_ahead(seconds: float) -> None:
    """Count what a page without a filter will show, before somebody asks for it; wait so long at most."""
    histories().get(Filter(), sum(pulse()), patience=seconds)


_kept: OrderedDict[tuple[Filter, frozenset[str]], Drawing] = OrderedDict()
_lock = threading.Lock()


def drawing(seen: Filter, permissions: frozenset[str]) -> Drawing:
    """A drawing that shows all that has happened; in a serving process perhaps somebody else's, if it was
    made within a second.
    """
    kept = _kept.get((seen, permissions))
    fresh = kept is not None and clock.now() - kept.at < KEPT_FOR and kept.beat == pulse()
    if kept is None or not fresh or kept.history is not _history(seen, kept.beat):
        return draw(seen, permissions)
    return kept


def draw(seen: Filter, permissions: frozenset[str]) -> Drawing:
    """Draw anew, with the history that there is."""
    beat = pulse()  # first, so that what happens meanwhile is drawn the next time
    history = _history(seen, beat)
    look = Look(seen, history)
    panels = tuple(_panels(look, permissions))
    drawn = Drawing(look.now, beat, history, tuple(look.named_engineers()), panels)
    if lanes.serving():
        with _lock:
            _kept[seen, permissions] = drawn
            _kept.move_to_end((seen, permissions))
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return drawn


def _panels(look: Look, permissions: Collection[str]) -> list[Drawn]:
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
    drawn = (panel.name, look.now.date(), look.marks, shared["may_edit_ownership"])
    if drawn not in kept:
        html = get_template(panel.template).render(shared | panel.context(look))
        kept[drawn] = (html, sha256(html.encode()).hexdigest()[:16])
    return Drawn(panel, *kept[drawn])


@cache
def histories() -> Histories:
    """This process's."""
    return Histories(lambda: wakeups.ring_local(COUNTED))


def _history(seen: Filter, beat: tuple[int, int]) -> History | None:
    return histories().get(seen, sum(beat)) if lanes.serving() else count(seen)
