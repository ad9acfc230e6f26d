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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from symbols import guards
from symbols.errors import SourceTooDeep
from symbols.grammars import Grammar, Rule, load
from symbols.languages import LANGUAGES, Language
from symbols.paths import MAX_DEPTH, MAX_LENGTH, SEPARATOR

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

    _Args = list[tuple[str, Literal["capture", "string"]]]
    _Captures = dict[str, list[Node]]
    # A match of the query: start, negative end and pattern, by which it is placed; what spans it; the rest.
    _Match = tuple[int, int, int, Node, _Captures]


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
_WHITE = b" \t\r\n"

_PLACE = itemgetter(0, 1, 2)
_FIRST_LINE = attrgetter("start_line")


class Symbol(NamedTuple):
    """A named part of a file. `path` is `A::B::leaf`, ending in `name`; lines count from 1, inclusive."""

    name: str
    kind: str
    path: str
    start_line: int
    end_line: int


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
    declares: _Match | None = None

    def spans(self, start: int, end: int) -> bool:
        return self.start == start and self.end == end


@dataclass(slots=True)
class _Span:
    """The parts of one path so far: the longest run of adjacent parts, and the run that is growing."""

    name: str
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
    return _Walk(source, row, grammar).symbols(_find(source, grammar))


def accepted_paths(symbols: Iterable[Symbol]) -> set[str]:
    """Every path that a claim on this file may name: the paths of the symbols and all their ancestors."""
    accepted: set[str] = set()
    for symbol in symbols:
        path = symbol.path
        while path and path not in accepted:
            accepted.add(path)
            path = path.rpartition(SEPARATOR)[0]
    return accepted


def _find(source: bytes, grammar: Grammar) -> list[_Match]:
    """Every match of the query, in order of position, the wider first, then the earlier pattern."""
    import tree_sitter

    def holds(predicate: str, args: _Args, pattern_index: int, captures: _Captures) -> bool:
        for node in captures.get(args[0][0], ()):
            if (_text(source, node), "string") in args:
                return predicate == "text?"
        return predicate != "text?"

    root = _parse(source, grammar).root_node
    _refuse_garbage(root)
    cursor = tree_sitter.QueryCursor(grammar.query)
    cursor.set_max_start_depth(guards.MAX_TREE_DEPTH)
    spans = [rule.span for rule in grammar.rules]
    found: list[_Match] = []
    for pattern, captures in cursor.matches(root, holds):
        node = captures[spans[pattern]][0]
        found.append((node.start_byte, -node.end_byte, pattern, node, captures))
    found.sort(key=_PLACE)
    return found


def _parse(source: bytes, grammar: Grammar) -> Tree:
    import tree_sitter

    views: list[memoryview] = []

    def read(offset: int, _point: object) -> memoryview:
        views.append(whole[offset:])
        return views[-1]

    limit = guards.Limit(len(source))
    with memoryview(source) as whole:
        try:
            return tree_sitter.Parser(grammar.language).parse(read, progress_callback=limit)
        except ValueError:
            raise SourceTooDeep(f"parsing it takes longer than {limit.seconds:.2g} s") from None
        finally:
            for view in views:  # the parser keeps what it was given; this way it does not keep the source
                view.release()


def _refuse_garbage(root: Node) -> None:
    """Refuse a tree with an error of very many keywords: from each a query looks for the next word."""
    todo = [root]
    while todo:
        node = todo.pop()
        if not node.has_error:
            continue
        if node.is_error and node.child_count - node.named_child_count > guards.MAX_ERROR_TOKENS:
            raise SourceTooDeep(f"more than {guards.MAX_ERROR_TOKENS} keywords make no sense where they are")
        todo += node.children


def _text(source: bytes, node: Node) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


class _Collector:
    """Turns definitions into symbols, one per path, with lines instead of bytes."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._spans: dict[str, _Span] = {}
        self._last: dict[str, str] = {}

    def add(self, path: str, kind: str, span: _Match) -> None:
        start, minus_end, _, node, _ = span
        first, last = node.start_point[0] + 1, node.end_point[0] + 1
        if -minus_end > start and self._source[-minus_end - 1] in _WHITE:
            last -= self._lines_after_text(start, -minus_end)
        parent, _, name = path.rpartition(SEPARATOR)
        if known := self._spans.get(path):
            known.add(kind, first, last, adjacent=self._last.get(parent) == path)
        else:
            self._spans[path] = _Span(name, kind, first, last, first, last)
        self._last[parent] = path

    def symbols(self) -> tuple[Symbol, ...]:
        made = [
            Symbol(span.name, span.kind, path, span.start, span.end) for path, span in self._spans.items()
        ]
        made.sort(key=_FIRST_LINE)
        return tuple(made)

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

    def symbols(self, matches: Iterable[_Match]) -> tuple[Symbol, ...]:
        stack, named, rules = self._stack, self._named, self._rules
        for match in matches:
            start, _, pattern, _, captures = match
            while stack[-1].end <= start:
                stack.pop()
            names = captures.get("name")
            if names and names[0].start_byte in named:
                continue
            rule = rules[pattern]
            if rule.kind is None:
                self._bare(match, rule)
            else:
                self._definition(match, rule, rule.kind)
        return self._collector.symbols()

    def _bare(self, match: _Match, rule: Rule) -> None:
        """A lone scope is a body without a name; a lone name belongs to the declaration that it stands in."""
        top = self._stack[-1]
        if "name" not in match[4]:
            self._stack.append(_Open(match[0], -match[1], top.path, None, True))
            return
        if top.named and self._stack[-2].spans(top.start, top.end):
            top = self._stack[-2]
        if top.declares is None:
            return
        declares = self._rules[top.declares[2]]
        if not (declares.local and top.body) and (name := self._name(match, rule)):
            self._add(top, name, declares.kind or "", top.declares, match)

    def _definition(self, match: _Match, rule: Rule, kind: str) -> None:
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
            return
        if outer is not top:
            stack.pop()
        if dropped:
            return
        if kind == "function" and outer.inside in _TYPES:
            kind = "method"
        path = self._add(outer, name, kind, match, match)
        if path and not rule.leaf:
            stack.append(_Open(start, end, path, kind, kind in _BODIES, named=True))

    def _declaration(self, match: _Match, top: _Open) -> None:
        start, end = match[0], -match[1]
        if not top.spans(start, end):
            self._stack.append(_Open(start, end, top.path, top.inside, top.body, declares=match))
        elif top.named:  # its first name is known already, the others are still to come
            outer = self._stack[-2]
            self._stack.insert(-1, _Open(start, end, outer.path, outer.inside, outer.body, declares=match))

    def _add(self, parent: _Open, name: str, kind: str, span: _Match, match: _Match) -> str | None:
        """Add a symbol; `None` when its path is too long."""
        path = f"{parent.path}{SEPARATOR}{name}" if parent.path else name
        if len(path) > MAX_LENGTH or path.count(SEPARATOR) >= MAX_DEPTH:
            return None
        if names := match[4].get("name"):
            self._named.add(names[0].start_byte)
        self._collector.add(path, kind, span)
        return path

    def _name(self, match: _Match, rule: Rule) -> str | None:
        """What a match adds to the path: its name, below the parents that the text gives with it."""
        names, scopes = match[4].get("name"), match[4].get("scope")
        name, parents = rule.fixed_name, list[str]()
        if names and (name is None or "{}" in name):
            text = _text(self._source, names[0])
            if not (name or scopes) and text.isascii() and text.isidentifier():
                return text
            parents = _parts(text, self._separators)
            own = parents.pop() if parents else None
            name = name.replace("{}", own) if name and own else own
        if name is None:
            return None
        if scopes and rule.kind:
            parents = [*_parts(_text(self._source, scopes[0]), self._separators), *parents]
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
