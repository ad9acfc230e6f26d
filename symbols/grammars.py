"""Loading of grammars and queries: on first use, once per process."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from symbols.errors import GrammarMissing

if TYPE_CHECKING:
    import tree_sitter

    from symbols.languages import Language

# Variables inside these are local, so nobody would name them.
BODIES = frozenset({"function", "method", "constructor", "destructor", "accessor", "operator"})
LOCAL_KINDS = frozenset({"variable", "constant", "field"})
QUERY_SUFFIX = ".scm"
INSIDE, WHOLE = "inside", "whole"

_DEFINITION = "definition."
_CAPTURE = re.compile(rb"@([\w.]+)")
_INHERITS = re.compile(r"; inherits: (\w+)\n")
_COMMENT = re.compile(rb";[^\n]*")


@dataclass(frozen=True, slots=True)
class Rule:
    """What one pattern of a query file yields.

    `kind` is that of its `@definition.<kind>` capture, `None` when it has none; `span` is that capture, or
    `@name`, or `@scope`; `scoped` is whether a definition has a `@scope`. `enters` is the capture that says
    where to look. `fixed_name` is set by `(#set! name "…")`, in which `{}` stands for the text of `@name`.
    A `leaf` encloses nothing, a `local` one is dropped inside a function (`(#set! leaf)`, `(#set! local)`;
    variables are always local).
    """

    kind: str | None
    span: str | None
    scoped: bool
    enters: str | None
    fixed_name: str | None
    leaf: bool
    local: bool


@dataclass(frozen=True, slots=True)
class Grammar:
    """A loaded language: shared by all threads, as neither part changes after loading."""

    language: tree_sitter.Language
    query: tree_sitter.Query
    rules: tuple[Rule, ...]


def read_query(name: str) -> str:
    """The text of a language's query file, from wherever the package is installed.

    A first line `; inherits: <language>` puts the patterns of another language's file before its own.
    """
    text = resources.files("symbols").joinpath("queries", name + QUERY_SUFFIX).read_text(encoding="utf-8")
    inherits = _INHERITS.match(text)
    return f"{read_query(inherits[1])}\n{text}" if inherits else text


@cache
def load(row: Language) -> Grammar:
    """Load a language's grammar and compile its query; raises `GrammarMissing` when it cannot be had."""
    try:
        import tree_sitter

        factory = getattr(importlib.import_module(row.module), row.function)
        language = tree_sitter.Language(factory())
    except (ImportError, AttributeError, ValueError, OSError) as error:
        raise GrammarMissing(row.name, row.package) from error
    text = read_query(row.name)
    query = tree_sitter.Query(language, text)
    return Grammar(language, query, _rules(query, text.encode()))


def is_available(row: Language) -> bool:
    """Whether the grammar loads and fits the query, found out by doing it."""
    try:
        load(row)
    except GrammarMissing:
        return False
    return True


def _rules(query: tree_sitter.Query, text: bytes) -> tuple[Rule, ...]:
    rules = []
    for index in range(query.pattern_count):
        pattern = text[query.start_byte_for_pattern(index) : query.end_byte_for_pattern(index)]
        captures = [found.decode() for found in _CAPTURE.findall(_COMMENT.sub(b"", pattern))]
        definition = next((name for name in captures if name.startswith(_DEFINITION)), None)
        kind = definition and definition.removeprefix(_DEFINITION)
        span = definition or next((name for name in ("name", "scope") if name in captures), None)
        enters = next((name for name in (INSIDE, WHOLE) if name in captures), None)
        settings = query.pattern_settings(index)
        local = kind in LOCAL_KINDS or "local" in settings
        scoped = kind is not None and "scope" in captures
        leaf = "leaf" in settings
        rules.append(Rule(kind, span, scoped, enters, settings.get("name"), leaf, local))
    return tuple(rules)
