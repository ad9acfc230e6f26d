"""All writes of the ownership package."""

from __future__ import annotations

from ownership.services.automatic import auto_demote, auto_promote, prepare, promote_later
from ownership.services.contention import Attempt, log_contention, resolve_contention, trim_contention
from ownership.services.entries import Promotion, demote, pin, promote
from ownership.services.revisions import restore_revision, save_document

__all__ = [
    "Attempt",
    "Promotion",
    "auto_demote",
    "auto_promote",
    "demote",
    "log_contention",
    "pin",
    "prepare",
    "promote",
    "promote_later",
    "resolve_contention",
    "restore_revision",
    "save_document",
    "trim_contention",
]
