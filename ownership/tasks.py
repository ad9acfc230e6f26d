"""Entry points of django-q2. Each may run twice, and in two clusters at once."""

from __future__ import annotations

from ownership import services


def promote_hot(repo: str, patterns: list[str]) -> list[str]:
    """Share the patterns that reached the threshold; what was added."""
    return services.auto_promote(repo=repo, patterns=patterns)


def demote_quiet() -> list[str]:
    """Remove managed entries that are quiet; what was removed."""
    return services.auto_demote()


def trim_contention() -> int:
    """Remove old rows of the contention log; how many."""
    return services.trim_contention()
