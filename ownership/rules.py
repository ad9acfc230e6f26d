"""The ownership document's rules, ready to be asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from patterns import Pattern, PatternError, overlaps, parse

Severity = Literal["soft", "hard"]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Hard path rules and shared files, for every repository (``""``) and for single ones.

    A repository's own rules add to the general ones: they may harden, not soften.
    """

    hard: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)
    shared_files: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)

    def severity(self, repo: str, pattern: Pattern) -> Severity:
        """``hard`` when the pattern overlaps any hard rule."""
        rules = (*self.hard.get("", ()), *(self.hard.get(repo, ()) if repo else ()))
        return "hard" if any(overlaps(pattern, rule) for rule in rules) else "soft"

    def shared(self, repo: str) -> tuple[Pattern, ...]:
        """The patterns on which claims of different parties coexist."""
        return (*self.shared_files.get("", ()), *(self.shared_files.get(repo, ()) if repo else ()))


NO_RULES = RuleSet()


def read_rules(text: str) -> RuleSet:
    """The rules of a stored document. Raises ``ValueError`` or ``yaml.YAMLError`` for one that has none."""
    document = yaml.safe_load(text)
    if document is None:
        return NO_RULES
    if not isinstance(document, dict):
        raise ValueError("the document is not a mapping")
    repos = document.get("repos") or {}
    parts = {"": document} | {
        str(name).casefold(): part for name, part in repos.items() if isinstance(part, dict)
    }
    return RuleSet(
        hard={repo: _hard(part) for repo, part in parts.items()},
        shared_files={repo: _shared(part) for repo, part in parts.items()},
    )


def _hard(part: Mapping[str, Any]) -> tuple[Pattern, ...]:
    blocks = [
        block
        for section in ("modules", "areas")
        for block in (part.get(section) or {}).values()
        if isinstance(block, dict) and str(block.get("severity", "soft")).lower() == "hard"
    ]
    return _parsed([path for block in blocks for path in block.get("paths") or []])


def _shared(part: Mapping[str, Any]) -> tuple[Pattern, ...]:
    items = part.get("shared_files") or []
    return _parsed([item.get("pattern") if isinstance(item, dict) else item for item in items])


def _parsed(texts: Sequence[Any]) -> tuple[Pattern, ...]:
    found = []
    for text in texts:
        try:
            found.append(parse(str(text)))
        except PatternError:
            continue
    return tuple(found)
