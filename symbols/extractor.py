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
Two more captures, which only save time, say where to look: see `symbols.search`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from symbols import guards
from symbols.grammars import BODIES, Grammar, Rule, load
from symbols.languages import LANGUAGES, Language
from symbols.paths import MAX_DEPTH, MAX_LENGTH, SEPARATOR
from symbols.search import find, text_of

if TYPE_CHECKING:
    from symbols.search import Match

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
_WHITE = b" \t\r\n"

# Most paths have fewer characters than a path of too many parts can have.
_SURELY_SHORT = MAX_DEPTH * len(SEPARATOR)
_FIRST_LINE = itemgetter(3)


class Symbol(NamedTuple):
    """A named part of a file. `path` is `A::B::leaf`, ending in `name`; lines count from 1, inclusive."""

    name: str
    kind: str
    path: str
    start_line: int
    end_line: int


# The quickest way to make one.
_make = Symbol._make


@dataclass(slots=True)
class _Open:
    """An enclosing match during the walk: its span, and path and kind of the nearest match with a name.

    `body`: is it code, so that variables are local? `named`: has the match itself a name? One that `declares`
    has none, but passes its span and kind on to the lone names inside it.
    """

    start: int
    end: int
    path: str
    inside: str | None
    body: bool
    named: bool = False
    declares: Match | None = None

    def spans(self, start: int, end: int) -> bool:
        return self.start == start and self.end == end


@dataclass(slots=True)
class _Parts:
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
    guards.check(source, by_indent=row.by_indent)
    grammar = load(row)
    return _Walk(source, row, grammar).symbols(find(source, row, grammar))


def accepted_paths(symbols: Iterable[Symbol]) -> set[str]:
    """Every path that a claim on this file may name: the paths of the symbols and all their ancestors."""
    accepted: set[str] = set()
    for symbol in symbols:
        path = symbol.path
        while path and path not in accepted:
            accepted.add(path)
            path = path.rpartition(SEPARATOR)[0]
    return accepted


class _Collector:
    """Turns definitions into symbols, one per path, with lines instead of bytes."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._symbols: dict[str, Symbol] = {}
        self._repeated: dict[str, _Parts] = {}
        self._last: dict[str, str] = {}

    def add(self, parent: str, name: str, kind: str, span: Match) -> str | None:
        """Add what stands below `parent` and tell its path; `None` when that is too long."""
        path = f"{parent}{SEPARATOR}{name}" if parent else name
        if len(path) > _SURELY_SHORT and (len(path) > MAX_LENGTH or path.count(SEPARATOR) >= MAX_DEPTH):
            return None
        if SEPARATOR in name:
            parent, _, name = path.rpartition(SEPARATOR)
        start, minus_end, _, node, _ = span
        first, last = node.start_point[0] + 1, node.end_point[0] + 1
        if -minus_end > start and self._source[-minus_end - 1] in _WHITE:
            last -= self._lines_after_text(start, -minus_end)
        if path in self._symbols:
            self._repeat(path, kind, first, last, adjacent=self._last.get(parent) == path)
        else:
            self._symbols[path] = _make((name, kind, path, first, last))
        self._last[parent] = path
        return path

    def symbols(self) -> tuple[Symbol, ...]:
        for path, parts in self._repeated.items():
            name = self._symbols[path].name
            self._symbols[path] = Symbol(name, parts.kind, path, parts.start, parts.end)
        return tuple(sorted(self._symbols.values(), key=_FIRST_LINE))

    def _repeat(self, path: str, kind: str, first: int, last: int, *, adjacent: bool) -> None:
        parts = self._repeated.get(path)
        if parts is None:
            _, known, _, start, end = self._symbols[path]
            parts = self._repeated[path] = _Parts(known, start, end, start, end)
        parts.add(kind, first, last, adjacent=adjacent)

    def _lines_after_text(self, start: int, end: int) -> int:
        """How many lines the white space at the end of a span goes on for."""
        text = end
        while text > start + 1 and self._source[text - 1] in _WHITE:
            text -= 1
        return self._source.count(b"\n", text - 1, end)


class _Walk:
    """Gives each match its place: one pass in order of position, with the enclosing ones on a stack."""

    def __init__(self, source: bytes, row: Language, grammar: Grammar) -> None:
        self._source = source
        self._separators = row.separators
        self._rules = grammar.rules
        self._stack = [_Open(-1, len(source) + 1, "", None, False)]
        self._named: set[int] = set()
        self._collector = _Collector(source)

    def symbols(self, matches: Iterable[Match]) -> tuple[Symbol, ...]:
        stack, named, rules = self._stack, self._named, self._rules
        for match in matches:
            start, _, pattern, _, captures = match
            while stack[-1].end <= start:
                stack.pop()
            names = captures.get("name")
            place = names[0].start_byte if names else None
            if place in named:
                continue
            rule = rules[pattern]
            added = self._bare(match, rule) if rule.kind is None else self._definition(match, rule, rule.kind)
            if added and place is not None:
                named.add(place)
        return self._collector.symbols()

    def _bare(self, match: Match, rule: Rule) -> bool:
        """A lone scope is a body without a name; a lone name belongs to the declaration that it stands in.

        Tells whether a symbol was added.
        """
        top = self._stack[-1]
        if "name" not in match[4]:
            self._stack.append(_Open(match[0], -match[1], top.path, None, True))
            return False
        if top.named and self._stack[-2].spans(top.start, top.end):
            top = self._stack[-2]
        if top.declares is None:
            return False
        declares = self._rules[top.declares[2]]
        if (declares.local and top.body) or not (name := self._name(match, rule)):
            return False
        return self._collector.add(top.path, name, declares.kind or "", top.declares) is not None

    def _definition(self, match: Match, rule: Rule, kind: str) -> bool:
        """Add what a definition is called, and open it; tells whether a symbol was added."""
        start, minus_end, _, _, captures = match
        stack, end = self._stack, -minus_end
        top = outer = stack[-1]
        # Several names of one declaration stand beside each other.
        if top.named and top.end == end and top.start == start:
            outer = stack[-2]
        dropped = rule.local and outer.body
        name = "" if dropped and "name" in captures else self._name(match, rule)
        if name is None:
            self._declaration(match, top)
            return False
        if outer is not top:
            stack.pop()
        if dropped:
            return False
        if kind == "function" and outer.inside in _TYPES:
            kind = "method"
        path = self._collector.add(outer.path, name, kind, match)
        if path and not rule.leaf:
            stack.append(_Open(start, end, path, kind, kind in BODIES, True))
        return path is not None

    def _declaration(self, match: Match, top: _Open) -> None:
        start, end = match[0], -match[1]
        if not top.spans(start, end):
            self._stack.append(_Open(start, end, top.path, top.inside, top.body, declares=match))
        elif top.named:  # its first name is known already, the others are still to come
            outer = self._stack[-2]
            self._stack.insert(-1, _Open(start, end, outer.path, outer.inside, outer.body, declares=match))

    def _name(self, match: Match, rule: Rule) -> str | None:
        """What a match adds to the path: its name, below the parents that the text gives with it."""
        names, name = match[4].get("name"), rule.fixed_name
        scopes = match[4].get("scope") if rule.scoped else None
        parents: list[str] = []
        if names and (name is None or "{}" in name):
            text = text_of(self._source, names[0])
            if name is None and scopes is None and text.isascii() and text.isidentifier():
                return text
            parents = _parts(text, self._separators)
            own = parents.pop() if parents else None
            name = name.replace("{}", own) if name and own else own
        if name is None:
            return None
        if scopes:
            parents = [*_parts(text_of(self._source, scopes[0]), self._separators), *parents]
        return SEPARATOR.join([*parents, name])


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
