"""What the service does by itself: promotion of hotspots, demotion of quiet entries."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django_q.models import Schedule
from django_q.tasks import async_task

from common import clock
from common.errors import Invalid
from ownership import edits, selectors
from ownership.edits import Entry
from ownership.hotspots import RollUp, covers, roll_up
from ownership.services.revisions import Edit, edit_document
from webhooks.types import EventType, NewEvent

logger = logging.getLogger(__name__)

AUTHOR = "coord"
EVERYTHING = "**"
DEMOTION = "ownership: auto-demotion"
RETENTION = "ownership: retention"


def prepare() -> None:
    """The schedules, in step with the settings. Idempotent; called once at start."""
    every = settings.COORD.auto_demote_interval_sec
    if every:
        Schedule.objects.update_or_create(
            name=DEMOTION,
            defaults={
                "func": "ownership.tasks.demote_quiet",
                "schedule_type": Schedule.MINUTES,
                "minutes": max(1, every // 60),
            },
        )
    else:
        Schedule.objects.filter(name=DEMOTION).delete()
    Schedule.objects.get_or_create(
        name=RETENTION,
        defaults={"func": "ownership.tasks.trim_contention", "schedule_type": Schedule.HOURLY},
    )


def promote_later(repo: str, patterns: Sequence[str]) -> None:
    """Queue a look at these patterns for after the commit, when promotion is on."""
    if settings.COORD.auto_promote_threshold > 0 and patterns:
        unique = list(dict.fromkeys(patterns))
        transaction.on_commit(lambda: _queue(repo, unique), robust=True)


def auto_promote(*, repo: str, patterns: Sequence[str]) -> list[str]:
    """Share those of the patterns that reached the threshold in the repository; what was added.

    Siblings promoted within the window become their directory's subtree, which takes the place of their
    entries. One revision; an ``auto-promote`` event per added entry. A document that cannot be edited is
    logged and left.
    """
    config = settings.COORD
    if config.auto_promote_threshold <= 0:
        return []
    spots = selectors.hotspots(
        days=config.auto_promote_window_days,
        min_attempts=config.auto_promote_threshold,
        repo=repo,
        patterns=patterns,
    )
    hot = [spot.pattern for spot in spots if spot.pattern != EVERYTHING]
    return _promote(repo, [pattern for pattern in patterns if pattern in hot]) if hot else []


def auto_demote() -> list[str]:
    """Remove the managed entries that were asked for too little in the window; what was removed.

    Attempts at any pattern that an entry covers count for it, in all repositories. Pinned and hand-written
    entries stay. One revision; an ``auto-demote`` event per removed entry.
    """
    config = settings.COORD
    if config.auto_promote_threshold <= 0:
        return []
    removed: list[str] = []

    def edit(text: str) -> tuple[str, list[NewEvent]]:
        managed = [entry.pattern for entry in edits.entries(text) if entry.managed]
        counts = selectors.attempts_under(managed, days=config.auto_demote_window_days)
        removed[:] = [pattern for pattern in managed if counts[pattern] < config.auto_promote_threshold]
        events = [
            NewEvent(
                EventType.AUTO_DEMOTE,
                "",
                detail={
                    "pattern": pattern,
                    "count_in_window": counts[pattern],
                    "threshold": config.auto_promote_threshold,
                    "window_days": config.auto_demote_window_days,
                },
            )
            for pattern in removed
        ]
        return edits.remove_shared(text, removed), events

    return removed if _edit(edit, "quiet for the whole window") else []


def _promote(repo: str, hot: Sequence[str]) -> list[str]:
    config = settings.COORD
    added: list[str] = []

    def edit(text: str) -> tuple[str, list[NewEvent]]:
        before = edits.entries(text)
        new = [one for one in hot if not any(covers(entry.pattern, one) for entry in before)]
        plan = roll_up(new, _recent(before), least=config.auto_promote_subtree_min_files)
        replaced = {member for members in plan.subtrees.values() for member in members}
        text = edits.remove_shared(
            text, [entry.pattern for entry in before if entry.managed and entry.pattern in replaced]
        )
        added[:] = [*plan.subtrees, *plan.leaves]
        for pattern in added:
            text = edits.add_shared(text, pattern, promoted=clock.now().date())
        return text, _promotions(repo, plan)

    return added if _edit(edit, "reached the threshold of attempts") else []


def _recent(entries: Sequence[Entry]) -> list[str]:
    """Entries that were promoted within the window."""
    since = (clock.now() - timedelta(days=settings.COORD.auto_promote_window_days)).date()
    return [entry.pattern for entry in entries if entry.promoted and entry.promoted >= since]


def _promotions(repo: str, plan: RollUp) -> list[NewEvent]:
    config = settings.COORD
    common = {"threshold": config.auto_promote_threshold, "window_days": config.auto_promote_window_days}
    subtrees = [
        {
            "pattern": pattern,
            **common,
            "source_count": len(members),
            "source_patterns": list(members),
            "subtree": True,
        }
        for pattern, members in plan.subtrees.items()
    ]
    leaves = [{"pattern": pattern, **common, "subtree": False} for pattern in plan.leaves]
    return [NewEvent(EventType.AUTO_PROMOTE, repo, detail=detail) for detail in (*subtrees, *leaves)]


def _edit(edit: Edit, reason: str) -> bool:
    """Whether the document was edited; a document that cannot be is logged."""
    try:
        _, changed = edit_document(edit, author=AUTHOR, reason=reason)
    except Invalid as error:
        logger.warning("owners.yaml is left as it is: %s", error.detail)
        return False
    return changed


def _queue(repo: str, patterns: list[str]) -> None:
    async_task("ownership.tasks.promote_hot", repo, patterns, task_name="promote")  # type: ignore[no-untyped-call]
