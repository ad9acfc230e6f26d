"""The one extractor: runs a language's query over a parsed file and arranges what it found by position.

A query file says what to look for with three captures:

* `@definition.<kind>`: the text that a symbol spans; it encloses the symbols inside it.
* `@name`: its name. A definition without one passes its span and kind to the lone `@name`s inside it.
* `@scope`: with a definition, the parent named in the text (a Go receiver); alone, a body that has no name
  of its own (a lambda), in which variables are local.

`(#set! name "…")` names a definition that has no name in the text (`{}` stands for that of `@name`),
`(#set! leaf)` says that a definition encloses nothing, `(#set! local)` that it is dropped inside a function,
`(#text? @_capture "…" …)` keeps a match only when that capture's text is one of
those given, `#not-text?` only when it is none of them. The built-in text predicates must not be used: they
crash on a tree that was parsed with a time limit.
Of two patterns that find one `@name`, the wider wins, then the one that comes first in the file.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from symbols import guards
from symbols.errors import SourceTooDeep
from symbols.grammars import Grammar, Rule, load
from symbols.languages import LANGUAGES, Language
from symbols.paths import MAX_DEPTH, MAX_LENGTH, SEPARATOR

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

    _Args = list[tuple[str, Literal["capture", "string"]]]
    _Captures = dict[str, list[Node]]

_CHUNK = 1 << 16

# Variables inside these are local, so nobody would name them.
_BODIES = frozenset({"function", "method", "constructor", "destructor", "accessor", "operator"})
# A function directly inside one of these is called a method.
_TYPES = frozenset(
    {
        "class",
        "interface",
        "trait",
        "struct",
        "enum",
        "type",
        "object",
        "union",
        "record",
        "impl",
        "extension",
    }
)

# These add to a type that is defined elsewhere; its own definition says what it is.
_ADDITIONS = frozenset({"impl", "extension"})

_PLAIN = re.compile(r"[\w$#@!?=~-]+")
_SPACES = re.compile(r"\s+")
_OPERATOR = re.compile(r"(?<!\w)(operator)(?!\w)")
_GENERICS = re.compile(r"<[^<>]*>")
_QUOTED = re.compile(r"""(["'`])(.*)\1""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named part of a file. `path` is `A::B::leaf`, ending in `name`; lines count from 1, inclusive."""

    name: str
    kind: str
    path: str
    start_line: int
    end_line: int


@dataclass(slots=True)
class _Found:
    """A match of the query, before its place among the others is known."""

    start: int
    end: int
    kind: str | None
    name: str | None
    name_at: int
    parents: list[str]
    leaf: bool
    local: bool

    def spans(self, other: _Found) -> bool:
        return (self.start, self.end) == (other.start, other.end)


@dataclass(slots=True)
class _Open:
    """An enclosing match during the walk, with path and kind of the nearest named one; `body`: is it code?"""

    found: _Found
    path: str
    inside: str | None
    body: bool


@dataclass(slots=True)
class _Span:
    """The parts of one path so far: the longest run of adjacent parts, and the run that is growing."""

    kind: str
    start: int
    end: int
    run_start: int
    run_end: int

    def add(self, kind: str, start: int, end: int, *, adjacent: bool) -> None:
        if kind in _ADDITIONS and self.kind not in _ADDITIONS:
            return
        if self.kind in _ADDITIONS and kind not in _ADDITIONS:
            self.kind, self.start, self.end = kind, start, end
            self.run_start, self.run_end = start, end
            return
        if not adjacent:
            self.run_start = start
        self.run_end = max(end, self.run_end) if adjacent else end
        if self.run_end - self.run_start > self.end - self.start:
            self.start, self.end = self.run_start, self.run_end


def extract(source: bytes, language: str) -> tuple[Symbol, ...]:
    """Return every symbol of `source`, one per path, in the order in which they start.

    Broken syntax yields what can be read. Of several definitions of one path (overloads, accessors, branches)
    those that follow each other directly count as one; else the longest is reported, the first of equals.
    Raises `ValueError` for a language that is not in the table, `GrammarMissing`, `SourceTooLarge`,
    `SourceTooDeep`; nothing else, whatever the bytes are. Safe in several threads at once.
    """
    row = LANGUAGES.get(language)
    if row is None:
        raise ValueError(f"unknown language {language!r}; known are {', '.join(LANGUAGES)}")
    guards.check(source)
    grammar = load(row)
    return _Walk(source).symbols(_find(source, row, grammar))


def accepted_paths(symbols: Iterable[Symbol]) -> set[str]:
    """Every path that a claim on this file may name: the paths of the symbols and all their ancestors."""
    accepted: set[str] = set()
    for symbol in symbols:
        path = symbol.path
        while path and path not in accepted:
            accepted.add(path)
            path = path.rpartition(SEPARATOR)[0]
    return accepted


def _find(source: bytes, row: Language, grammar: Grammar) -> list[_Found]:
    """Every match of the query, in order of position, the wider first."""
    import tree_sitter

    def holds(predicate: str, args: _Args, pattern_index: int, captures: _Captures) -> bool:
        wanted = {text for text, kind in args if kind == "string"}
        texts = (_text(source, node) for node in captures.get(args[0][0], ()))
        return any(text in wanted for text in texts) == (predicate == "text?")

    cursor = tree_sitter.QueryCursor(grammar.query)
    cursor.set_max_start_depth(guards.MAX_TREE_DEPTH)
    tree = _parse(source, grammar)
    found: list[tuple[int, int, int, _Found]] = []
    for pattern, captures in cursor.matches(tree.root_node, holds):
        rule = grammar.rules[pattern]
        match = _match(source, row, rule, captures)
        found.append((match.start, -match.end, pattern, match))
    found.sort(key=itemgetter(0, 1, 2))
    return [item[3] for item in found]


def _parse(source: bytes, grammar: Grammar) -> Tree:
    import tree_sitter

    def read(offset: int, _point: object) -> bytes:
        return source[offset : offset + _CHUNK]

    try:
        return tree_sitter.Parser(grammar.language).parse(read, progress_callback=guards.deadline())
    except ValueError:
        raise SourceTooDeep(f"parsing it takes longer than {guards.PARSE_SECONDS:g} s") from None


def _match(source: bytes, row: Language, rule: Rule, captures: _Captures) -> _Found:
    names, scopes = captures.get("name"), captures.get("scope")
    span = captures[rule.capture][0] if rule.kind else (names or captures["scope"])[0]
    name, name_at, parents = rule.fixed_name, -1, list[str]()
    if names:
        name_at = names[0].start_byte
        if name is None or "{}" in name:
            parents = _parts(_text(source, names[0]), row.separators)
            own = parents.pop() if parents else None
            name = name.replace("{}", own) if name and own else own
    if scopes and rule.kind:
        parents = [*_parts(_text(source, scopes[0]), row.separators), *parents]
    return _Found(span.start_byte, span.end_byte, rule.kind, name, name_at, parents, rule.leaf, rule.local)


def _text(source: bytes, node: Node) -> str:
    return source[node.start_byte : node.end_byte].decode(errors="replace")


class _Collector:
    """Turns definitions into symbols, one per path, with lines instead of bytes."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._newlines = [match.start() for match in re.finditer(rb"\n", source)]
        self._spans: dict[str, _Span] = {}
        self._last: dict[str, str] = {}

    def add(self, path: str, kind: str, found: _Found) -> None:
        end = found.end
        while end > found.start + 1 and self._source[end - 1] in b" \t\r\n":
            end -= 1
        first, last = self._line(found.start), self._line(max(end - 1, found.start))
        parent = path.rpartition(SEPARATOR)[0]
        if span := self._spans.get(path):
            span.add(kind, first, last, adjacent=self._last.get(parent) == path)
        else:
            self._spans[path] = _Span(kind, first, last, first, last)
        self._last[parent] = path

    def symbols(self) -> tuple[Symbol, ...]:
        made = (
            Symbol(path.rpartition(SEPARATOR)[2], span.kind, path, span.start, span.end)
            for path, span in self._spans.items()
        )
        return tuple(sorted(made, key=lambda symbol: symbol.start_line))

    def _line(self, offset: int) -> int:
        return bisect_left(self._newlines, offset) + 1


class _Walk:
    """Gives each match its place: one pass in order of position, with the enclosing ones on a stack."""

    def __init__(self, source: bytes) -> None:
        everything = _Found(-1, len(source) + 1, None, None, -1, [], False, False)
        self._stack = [_Open(everything, "", None, False)]
        self._named: set[int] = set()
        self._collector = _Collector(source)

    def symbols(self, matches: Iterable[_Found]) -> tuple[Symbol, ...]:
        for found in matches:
            while self._stack[-1].found.end <= found.start:
                self._stack.pop()
            if found.name_at in self._named:
                continue
            if found.kind is None:
                self._bare(found)
            elif found.name is None:
                self._declaration(found)
            else:
                self._definition(found)
        return self._collector.symbols()

    def _bare(self, found: _Found) -> None:
        """A lone scope is a body without a name; a lone name belongs to the declaration that it stands in."""
        top = self._stack[-1]
        if found.name is None:
            self._stack.append(_Open(found, top.path, None, True))
            return
        if top.found.name is not None and len(self._stack) > 1 and self._stack[-2].found.spans(top.found):
            top = self._stack[-2]
        if top.found.kind and top.found.name is None:
            self._add(found, top.found.kind, top.found, top)

    def _declaration(self, found: _Found) -> None:
        top = self._stack[-1]
        if not top.found.spans(found):
            self._stack.append(_Open(found, top.path, top.inside, top.body))
        elif top.found.name is not None:  # its first name is known already, the others are still to come
            outer = self._stack[-2]
            self._stack.insert(-1, _Open(found, outer.path, outer.inside, outer.body))

    def _definition(self, found: _Found) -> None:
        top = self._stack[-1]
        if top.found.kind and top.found.name is not None and top.found.spans(found):
            self._stack.pop()  # several names of one declaration stand beside each other
            top = self._stack[-1]
        kind = found.kind or ""
        if kind == "function" and top.inside in _TYPES:
            kind = "method"
        path = self._add(found, kind, found, top)
        if path and not found.leaf:
            self._stack.append(_Open(found, path, kind, kind in _BODIES))

    def _add(self, found: _Found, kind: str, span: _Found, parent: _Open) -> str | None:
        """Add a symbol; `None` when it is local or its path too long."""
        if found.name is None or (parent.body and span.local):
            return None
        path = SEPARATOR.join([*filter(None, [parent.path]), *found.parents, found.name])
        if len(path) > MAX_LENGTH or path.count(SEPARATOR) >= MAX_DEPTH:
            return None
        if found.name_at >= 0:
            self._named.add(found.name_at)
        self._collector.add(path, kind, span)
        return path


def _parts(name: str, separators: Sequence[str]) -> list[str]:
    """The parts of a name as written: `ns::Foo<T>::bar` gives `ns`, `Foo`, `bar`; quotes are dropped."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if _PLAIN.fullmatch(name):
        return [name]
    if quoted := _QUOTED.fullmatch(name):
        return [_clean(quoted[2].replace(SEPARATOR, ":"))] if quoted[2].strip() else []
    head, operator, tail = _OPERATOR.split(name, maxsplit=1) if _OPERATOR.search(name) else (name, "", "")
    while _GENERICS.search(head):
        head = _GENERICS.sub("", head)
    if not name.startswith("["):
        for separator in separators:
            head = head.replace(separator, SEPARATOR)
    parts = [_clean(part) for part in head.split(SEPARATOR)]
    if operator:
        parts[-1] += _clean(operator + tail)
    return [part for part in parts if part]


def _clean(text: str) -> str:
    text = _SPACES.sub(" ", text).strip().strip(":")
    return "".join(char for char in text if char.isprintable())
