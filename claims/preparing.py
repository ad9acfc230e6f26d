"""Everything about a claim request that needs no lock: patterns, sizes, symbols against a checkout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from claims import checkout, guards, sources
from claims.scopes import ClaimRequest, ItemError, read_items
from common.errors import Invalid

NARROW = ("narrow_claim",)
NARROW_OR_ASK = ("narrow_claim", "escalate")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that may be decided. ``warnings`` is asked only when it was granted."""

    request: ClaimRequest
    warnings: Callable[[], list[str]]


def prepare(request: ClaimRequest, raw: Sequence[Mapping[str, Any]]) -> Prepared:
    """Read the items and check them. Raises :class:`Invalid` with the reference's 400 body."""
    if not raw:
        raise refused("No patterns provided", NARROW_OR_ASK)
    try:
        items = read_items(raw, case_insensitive=False)
    except ItemError as error:
        raise refused(error.warning, NARROW, error.hint) from error
    files = checkout.of_repository(request.repo)
    if files is None:
        return Prepared(replace(request, items=items), list)
    scoped = bool(files.scope)
    wide = guards.too_wide(items, files, guards.limits_of(request.repo), scoped=scoped)
    if wide is not None:
        raise refused(wide, NARROW_OR_ASK, "Name the files that you are going to edit.")
    unknown, unchecked = sources.unknown_symbols(items, files)
    if unknown is not None:
        raise refused(unknown, NARROW, "Claim symbols that the file has, or the whole file.")
    return Prepared(replace(request, items=items), lambda: [*guards.unmatched(items, files), *unchecked])


def refused(warning: str, options: Sequence[str], hint: str | None = None) -> Invalid:
    """The reference's 400: nothing created, one warning, what can be done."""
    body = {
        "claim_ids": [],
        "conflicts": [],
        "warnings": [warning],
        "options": list(options),
        "claims": [],
    }
    return Invalid(warning, body=body, next=hint)
