"""Finding: parses a file and runs its language's query over the parts of the tree that can have symbols.

Running a query costs about a third of parsing, in proportion to the nodes that it visits, and most nodes
stand in functions, where only a few words can begin a symbol. A query may therefore say where to look, when
its language has a `depth`, with two captures more:

* `@inside`: a node in which to look as deep as in the file itself, `depth` levels;
* `@whole`: a node in which to look at every level.

What stands in a function, so marked, is left out when its text has none of the `nested` of the language.
A query without `depth` visits every node, and so does any where the syntax is broken.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from symbols import guards
from symbols.errors import SourceTooDeep
from symbols.grammars import BODIES, INSIDE

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

    from symbols.grammars import Grammar
    from symbols.languages import Language

    _Args = list[tuple[str, Literal["capture", "string"]]]
    Captures = dict[str, list[Node]]
    # A match of the query: start, negative end and pattern, by which it is placed; what spans it; the rest.
    Match = tuple[int, int, int, Node, Captures]

_PLACE = itemgetter(0, 1, 2)


def find(source: bytes, row: Language, grammar: Grammar) -> list[Match]:
    """Every match that can yield a symbol, by position, the wider first, then the earlier pattern."""
    root = _parse(source, grammar).root_node
    _refuse_garbage(root)
    search = _Search(source, row, grammar)
    if row.depth and not root.has_error:
        search.by_level(root)
    else:
        search.everywhere(root)
    search.found.sort(key=_PLACE)
    return search.found


def text_of(source: bytes, node: Node) -> str:
    """The text of a node."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


class _Search:
    """One search: `found` grows."""

    def __init__(self, source: bytes, row: Language, grammar: Grammar) -> None:
        import tree_sitter

        self.found: list[Match] = []
        self._source = source
        self._row = row
        self._rules = grammar.rules
        self._cursor = tree_sitter.QueryCursor(grammar.query)

    def everywhere(self, root: Node) -> None:
        """Look at the node and all that is in it."""
        self._cursor.set_max_start_depth(guards.MAX_TREE_DEPTH)
        add, rules = self.found.append, self._rules
        for pattern, captures in self._cursor.matches(root, self._holds):
            if span := rules[pattern].span:
                node = captures[span][0]
                add((node.start_byte, -node.end_byte, pattern, node, captures))

    def by_level(self, root: Node) -> None:
        """Look at the levels below the node, and go on from there where the query says so."""
        self._cursor.set_max_start_depth(self._row.depth)
        add, rules, matches = self.found.append, self._rules, self._cursor.matches
        begins = (map(re.Match.start, begin.finditer(self._source)) for begin in self._row.nested)
        nested = sorted(chain.from_iterable(begins))
        whole: list[Node] = []
        todo = [(root, False)]
        while todo:
            start, in_body = todo.pop()
            for pattern, captures in matches(start, self._holds):
                rule = rules[pattern]
                if rule.enters:
                    node = captures[rule.enters][0]
                    body = in_body if rule.kind is None or rule.local else rule.kind in BODIES
                    if not body or bisect_left(nested, node.start_byte) < bisect_left(nested, node.end_byte):
                        if rule.enters == INSIDE:
                            todo.append((node, body))
                        else:
                            whole.append(node)
                if rule.span:
                    node = captures[rule.span][0]
                    add((node.start_byte, -node.end_byte, pattern, node, captures))
        for node in whole:
            self.everywhere(node)

    def _holds(self, predicate: str, args: _Args, pattern_index: int, captures: Captures) -> bool:
        for node in captures.get(args[0][0], ()):
            if (text_of(self._source, node), "string") in args:
                return predicate == "text?"
        return predicate != "text?"


def _parse(source: bytes, grammar: Grammar) -> Tree:
    import tree_sitter

    size = len(source)
    views: list[memoryview] = []

    def read(offset: int, _point: object) -> bytes | memoryview:
        if offset >= size:
            return b""
        views.append(whole[offset:])
        return views[-1]

    seconds = guards.parse_seconds(size)
    with memoryview(source) as whole:
        try:
            return tree_sitter.Parser(grammar.language).parse(read, progress_callback=guards.limit(seconds))
        except ValueError:
            raise SourceTooDeep(f"parsing it takes longer than {seconds:.2g} s") from None
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
