"""owners.yaml: what a document says, and whether it may be stored. Pure, no Django.

A document has path rules (``modules`` and ``areas``, the same thing), ``shared_files``,
``suggested_splits`` and, under ``repos``, the same four for one repository each. Anything else is kept
and ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ownership import syntax
from ownership.syntax import MAX_BYTES
from patterns import PatternError
from patterns import parse as parse_pattern

__all__ = ["MAX_BYTES", "MAX_RULES", "Document", "InvalidDocument", "Rule", "Rules", "parse"]

MAX_RULES = 5_000
SECTIONS = ("modules", "areas")
LISTS = ("shared_files", "suggested_splits")

Severity = Literal["soft", "hard"]


class InvalidDocument(ValueError):
    """The document may not be stored. ``str()`` names the key, in backticks, and what it must be."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One path of a module or area, as written."""

    pattern: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Rules:
    """What a document says for everywhere, or for one repository. Patterns are as written."""

    rules: tuple[Rule, ...] = ()
    shared: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document. ``count`` is its number of path rules, those of single repositories included."""

    everywhere: Rules = field(default_factory=Rules)
    repos: Mapping[str, Rules] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of path rules."""
        return len(self.everywhere.rules) + sum(len(one.rules) for one in self.repos.values())


def parse(text: str) -> Document:
    """What the document says. Raises :class:`InvalidDocument` with the first problem found."""
    try:
        data = syntax.load(text)
    except syntax.Malformed as error:
        raise InvalidDocument(f"Invalid YAML: {error}") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise InvalidDocument("The document must be a mapping at the top level")
    known = (*SECTIONS, *LISTS, "repos")
    if not any(key in data for key in known):
        raise InvalidDocument("The document must define `modules` or `areas`")
    document = Document(_rules(data, ""), dict(_repos(data.get("repos"))))
    if document.count > MAX_RULES:
        raise InvalidDocument(
            f"The document has {document.count} path rules; at most {MAX_RULES} are allowed"
        )
    listed = any(key in data for key in LISTS) or any(
        one.shared or one.splits for one in document.repos.values()
    )
    if not document.count and not listed:
        raise InvalidDocument("The document must define at least one path rule in `modules` or `areas`")
    return document


def _repos(section: Any) -> Iterator[tuple[str, Rules]]:
    """Each repository's rules, by its name as the service folds it."""
    seen: set[str] = set()
    if section is None:
        return
    if not isinstance(section, dict):
        raise InvalidDocument("`repos` must be a mapping of repository ids to blocks")
    for name, block in section.items():
        if not isinstance(name, str):
            raise InvalidDocument(f"`repos.{_shown(name)}` must be named by a string; quote it")
        if not isinstance(block, dict):
            raise InvalidDocument(f"`repos.{_shown(name)}` must be a mapping")
        folded = name.strip().casefold()
        if folded in seen:
            raise InvalidDocument(f"`repos.{_shown(name)}` is there twice; names differ in more than case")
        seen.add(folded)
        yield folded, _rules(block, f"repos.{_shown(name)}.")


def _rules(data: Mapping[Any, Any], where: str) -> Rules:
    rules: list[Rule] = []
    for name in SECTIONS:
        section = data.get(name)
        if section is None:
            continue
        if not isinstance(section, dict):
            raise InvalidDocument(f"`{where}{name}` must be a mapping of names to blocks")
        for key, block in section.items():
            rules += _block(block, f"{where}{name}.{_shown(key)}")
            if len(rules) > MAX_RULES:
                raise InvalidDocument(f"`{where}{name}` has more than {MAX_RULES} path rules")
    return Rules(
        tuple(rules),
        tuple(_entries(data.get("shared_files"), f"{where}shared_files", bare=True)),
        tuple(_entries(data.get("suggested_splits"), f"{where}suggested_splits", bare=False)),
    )


def _block(block: Any, where: str) -> Iterator[Rule]:
    if not isinstance(block, dict):
        raise InvalidDocument(f"`{where}` must be a mapping")
    paths = block.get("paths")
    if not isinstance(paths, list) or not paths:
        raise InvalidDocument(f"`{where}.paths` must be a non-empty list")
    for path in paths:
        _check_pattern(path, f"{where}.paths")
    owners = block.get("owners")
    if owners is not None and not isinstance(owners, list):
        raise InvalidDocument(f"`{where}.owners` must be a list")
    severity = _severity(block, where)
    return (Rule(path, severity) for path in paths)


def _severity(block: Mapping[Any, Any], where: str) -> Severity:
    if "severity" not in block:
        return "soft"
    given = block["severity"]
    text = given.strip().lower() if isinstance(given, str) else None
    if text == "hard":
        return "hard"
    if text == "soft":
        return "soft"
    raise InvalidDocument(f"`{where}.severity` must be one of: hard, soft")


def _entries(section: Any, where: str, *, bare: bool) -> Iterator[str]:
    """The patterns of ``shared_files`` (strings or mappings) or ``suggested_splits`` (mappings)."""
    if section is None:
        return
    if not isinstance(section, list):
        raise InvalidDocument(f"`{where}` must be a list")
    if len(section) > MAX_RULES:
        raise InvalidDocument(f"`{where}` has {len(section)} entries; at most {MAX_RULES} fit")
    for index, item in enumerate(section):
        if isinstance(item, dict):
            _check_pattern(item.get("pattern"), f"{where}[{index}].pattern")
            yield item["pattern"]
        elif bare:
            _check_pattern(item, f"{where}[{index}]")
            yield item
        else:
            raise InvalidDocument(f"`{where}[{index}]` must be a mapping with a `pattern`")


def _check_pattern(given: Any, where: str) -> None:
    if not isinstance(given, str) or not given.strip():
        raise InvalidDocument(f"`{where}` must contain only non-blank strings; quote what is not plain text")
    try:
        parse_pattern(given)
    except PatternError as error:
        hint = f" {error.hint}" if error.hint else ""
        raise InvalidDocument(f"`{where}`: {error}{hint}") from None


def _shown(key: Any) -> str:
    return str(key)[:100]
