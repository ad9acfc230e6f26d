"""Edits of single entries, as operators ask for them. Each is one transaction with one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common import clock
from common.errors import Conflict, Invalid, NotFound
from ownership import edits
from ownership.services.revisions import edit_document, edited
from patterns import PatternError
from patterns import parse as parse_pattern
from webhooks.types import EventType, NewEvent

ACTIONS = ("shared_file", "split")
MOST_NOTE = 1000


@dataclass(frozen=True, slots=True)
class Promotion:
    """What an edit of an entry came to: the text in force, and whether it was changed."""

    text: str
    changed: bool


def promote(
    *, pattern: str, action: str, author: str, note: str | None = None, repo: str = "", reason: str = ""
) -> Promotion:
    """Add the pattern to ``shared_files`` (``shared_file``) or ``suggested_splits`` (``split``).

    Emits ``ownership_edited``; nothing when the entry is there already. ``repo`` is only told in the event:
    entries hold everywhere. Raises :class:`Invalid`.
    """
    if action not in ACTIONS:
        raise Invalid(f"Unknown action '{action[:100]}'; expected 'shared_file' or 'split'")
    pattern = _pattern(pattern)
    if note and len(note) > MOST_NOTE:
        raise Invalid(f"`note` has {len(note)} characters; at most {MOST_NOTE} are allowed")

    def edit(text: str) -> str:
        if action == "shared_file":
            return edits.add_shared(text, pattern)
        return edits.add_split(text, pattern, suggested_at=str(clock.iso(clock.now())), note=note)

    return _edit(edit, action, author, reason, pattern=pattern, repo=repo or None)


def demote(*, pattern: str, author: str, reason: str = "", force: bool = False) -> Promotion:
    """Remove the pattern's entry from ``shared_files``. Emits ``ownership_edited``.

    Raises :class:`NotFound` without such an entry, :class:`Conflict` for a pinned one unless ``force``.
    """
    pattern = _pattern(pattern)

    def edit(text: str) -> str:
        found = [entry for entry in edits.entries(text) if edits.same(entry.pattern, pattern)]
        if not found:
            raise NotFound(f"'{pattern}' is not in shared_files")
        if any(entry.permanent for entry in found) and not force:
            raise Conflict(f"'{pattern}' is pinned ({edits.PERMANENT})", next="Force it, or leave it.")
        return edits.remove_shared(text, [pattern])

    return _edit(edit, "demote", author, reason, pattern=pattern)


def pin(*, pattern: str, author: str, reason: str = "") -> Promotion:
    """Mark the pattern's entry permanent, adding it when it is missing. Emits ``pinned``."""
    pattern = _pattern(pattern)
    return _edit(lambda text: edits.pin(text, pattern), "pin", author, reason, pattern=pattern)


def _edit(change: Callable[[str], str], action: str, author: str, reason: str, **detail: Any) -> Promotion:
    def edit(text: str) -> tuple[str, list[NewEvent]]:
        if action == "pin":
            event = NewEvent(EventType.PINNED, "", operator=author, detail={"reason": reason, **detail})
        else:
            event = edited(action, author, reason, **detail)
        return change(text), [event]

    text, changed = edit_document(edit, author=author, reason=reason or f"{action} {detail['pattern']}")
    return Promotion(text, changed)


def _pattern(given: str) -> str:
    """The pattern as it is written into the document. Raises :class:`Invalid`."""
    try:
        parse_pattern(given)
    except PatternError as error:
        raise Invalid(f"`pattern`: {error}", next=error.hint) from error
    return given.strip()
