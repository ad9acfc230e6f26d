"""The rules in force, ready to be asked: severity and shared files by exact overlap. Pure, no Django."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ownership.documents import Document, Rules, Severity
from ownership.hotspots import covers_pattern
from patterns import Pattern, PatternError, overlaps, parse

logger = logging.getLogger(__name__)

_Key = tuple[str | None, bool]


class RuleSet:
    """What one document means. Immutable for its users; safe to share between threads.

    Patterns are compiled once per repository and case mode, on first use.
    """

    def __init__(self, document: Document | None = None) -> None:
        self._document = document or Document()
        self._hard: dict[_Key, tuple[Pattern, ...]] = {}
        self._shared: dict[_Key, tuple[Pattern, ...]] = {}

    def severity(self, repo: str, pattern: Pattern) -> Severity:
        """``hard`` when some hard rule, global or of the repository, overlaps the pattern; else ``soft``."""
        key = (self._own(repo), pattern.case_insensitive)
        hard = self._hard.get(key)
        if hard is None:
            hard = self._hard[key] = _compiled(
                (
                    rule.pattern
                    for part in self._parts(repo)
                    for rule in part.rules
                    if rule.severity == "hard"
                ),
                pattern.case_insensitive,
            )
        return "hard" if any(overlaps(rule, pattern) for rule in hard) else "soft"

    def shared(self, repo: str, *, case_insensitive: bool = False) -> tuple[Pattern, ...]:
        """The patterns of ``shared_files`` that hold in the repository, compiled in its case mode."""
        key = (self._own(repo), case_insensitive)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _compiled(
                (text for part in self._parts(repo) for text in part.shared), case_insensitive
            )
        return shared

    def is_shared(self, repo: str, pattern: Pattern) -> bool:
        """Whether one entry of ``shared_files`` covers every path of the pattern."""
        shared = self.shared(repo, case_insensitive=pattern.case_insensitive)
        return any(covers_pattern(rule, pattern) for rule in shared)

    def _own(self, repo: str) -> str | None:
        """The repository, when the document speaks of it: so the caches are as large as the document."""
        return repo if repo in self._document.repos else None

    def _parts(self, repo: str) -> tuple[Rules, ...]:
        own = self._document.repos.get(repo)
        return (self._document.everywhere,) if own is None else (self._document.everywhere, own)


def _compiled(texts: Iterable[str], case_insensitive: bool) -> tuple[Pattern, ...]:
    patterns: dict[Pattern, None] = {}
    for text in texts:
        try:
            patterns[parse(text, case_insensitive=case_insensitive)] = None
        except PatternError as error:
            logger.warning("owners.yaml: the rule %r has no effect: %s", text, error)
    return tuple(patterns)
