"""Size guards and zero-match warnings, from a checkout, before the lock. A broken checkout guards nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from claims.checkout import Checkout
from claims.models import Repository
from claims.scopes import Item
from patterns import parse

SMALL = 20
"""Repositories with fewer tracked files than this have no ratio guard: every file is a large share."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most files one pattern may cover, and the largest share of the repository one call may cover."""

    files: int
    ratio: float


def limits_of(repo: str) -> Limits:
    """The repository's limits, or the service's."""
    row = Repository.objects.filter(name=repo).values_list("max_claim_files", "max_claim_ratio").first()
    files, ratio = row or (None, None)
    return Limits(
        settings.COORD.max_claim_files if files is None else files,
        settings.COORD.max_claim_ratio if ratio is None else ratio,
    )


def too_wide(items: Sequence[Item], checkout: Checkout, limits: Limits, *, scoped: bool) -> str | None:
    """Why the items cover too much, as the warning to answer with; ``None`` when they do not.

    A literal path to a single file is never too wide.
    """
    total = len(checkout.files)
    if not total:
        return None
    combined = 0
    for item in items:
        count = checkout.count(item.pattern)
        if count <= 1:
            combined += count
            continue
        if limits.files and count > limits.files:
            return f"Pattern '{item.sent}' matches {count} files; max is {limits.files}"
        if not scoped and total >= SMALL and count / total > limits.ratio:
            return (
                f"Pattern '{item.sent}' covers {round(100 * count / total)}% of repo;"
                f" max is {round(100 * limits.ratio)}%"
            )
        combined += count
    wide = any(not item.pattern.is_literal for item in items)
    if wide and not scoped and total >= SMALL and combined / total > limits.ratio:
        return (
            f"The patterns together cover {round(100 * combined / total)}% of repo;"
            f" max is {round(100 * limits.ratio)}%"
        )
    return None


def unmatched(items: Sequence[Item], checkout: Checkout) -> list[str]:
    """One warning per pattern that covers no tracked file (a new file, or a misspelt one)."""
    if checkout.problem is not None:
        return [f"The checkout cannot be read ({checkout.problem}); files are not checked."]
    if not checkout.files:
        return []
    warnings = []
    for item in items:
        if checkout.any(item.pattern):
            continue
        lower = item.sent.lower()
        if lower != item.sent and checkout.any(parse(lower)):
            warnings.append(
                f"Pattern '{item.sent}' matches no tracked file. Did you mean '{lower}'? Case counts."
            )
        else:
            warnings.append(
                f"Pattern '{item.sent}' matches no tracked file. It is held all the same, for a file that"
                " is about to be added; check the path if that is not so."
            )
    return warnings
