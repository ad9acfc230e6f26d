"""The syntax of a YAML document: its nodes with their positions, read within bounds.

ruamel.yaml's parser says where each node begins and ends. Nothing here builds values: a document is
measured first, and refused, before anything is made of it. Pure, no Django.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ruamel.yaml import YAML, events
from ruamel.yaml.error import YAMLError

MAX_BYTES = 1024 * 1024
MAX_NODES = 20_000
MAX_EXPANDED = 100_000
MAX_DEPTH = 32

Kind = Literal["scalar", "alias", "sequence", "mapping"]


class Malformed(ValueError):
    """The text is not one YAML document within the bounds. ``str()`` is a sentence for people."""


@dataclass(slots=True)
class Node:
    """A node, its place in the text (character offsets), and for collections what is inside.

    ``children`` of a mapping alternate key and value. ``size`` counts the nodes it stands for, aliases
    expanded.
    """

    kind: Kind
    start: int
    end: int
    value: str = ""
    flow: bool = False
    size: int = 1
    children: list[Node] = field(default_factory=list)

    @property
    def last(self) -> int:
        """Where the text of the node ends: without the comments and blank lines behind a block."""
        if self.kind in ("sequence", "mapping") and not self.flow and self.children:
            return self.children[-1].last
        return self.end

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """The keys and values of a mapping."""
        return zip(self.children[::2], self.children[1::2], strict=True)


def loader() -> Any:
    """A fresh ruamel.yaml that reads plain values by the rules of YAML 1.1 (``yes`` is a boolean)."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return yaml


def parse(text: str) -> Node | None:
    """The root node; ``None`` for a document without content. Raises :class:`Malformed`."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Malformed(f"the document has more than {MAX_BYTES} bytes")
    try:
        return _build(loader().parse(_bare(text)), len(text) - len(_bare(text)))
    except YAMLError as error:
        raise Malformed(_sentence(error)) from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed(str(error) or type(error).__name__) from None


def load(text: str) -> Any:
    """The document's value. Raises :class:`Malformed`. The bounds hold before anything is built."""
    parse(text)
    try:
        return loader().load(_bare(text))
    except YAMLError as error:
        raise Malformed(_sentence(error)) from None
    except (ValueError, TypeError, OverflowError, ArithmeticError, RecursionError) as error:
        raise Malformed(str(error) or type(error).__name__) from None


def _bare(text: str) -> str:
    """The text without a byte order mark."""
    return text.removeprefix("\ufeff")


def _build(stream: Any, offset: int) -> Node | None:
    """The tree of the only document in the stream, without recursion; places are ``offset`` further on."""
    root: Node | None = None
    stack: list[Node] = []
    anchors: dict[str, Node] = {}
    nodes = documents = 0
    for event in stream:
        if isinstance(event, events.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Malformed("the text has more than one document")
        if isinstance(event, events.SequenceEndEvent | events.MappingEndEvent):
            done = stack.pop()
            done.end = event.end_mark.index + offset
            done.size = 1 + sum(child.size for child in done.children)
            if done.size > MAX_EXPANDED:
                raise Malformed(f"aliases expand to more than {MAX_EXPANDED} nodes")
        if not isinstance(event, events.NodeEvent):
            continue
        nodes += 1
        if nodes > MAX_NODES:
            raise Malformed(f"the document has more than {MAX_NODES} nodes")
        node = _node(event, anchors, stack, offset)
        if stack:
            stack[-1].children.append(node)
        else:
            root = node
        if node.kind in ("sequence", "mapping"):
            stack.append(node)
            if len(stack) > MAX_DEPTH:
                raise Malformed(f"the document is nested deeper than {MAX_DEPTH} levels")
    return None if root is None or _is_nothing(root) else root


def _node(event: Any, anchors: dict[str, Node], stack: list[Node], offset: int) -> Node:
    start, end = event.start_mark.index + offset, event.end_mark.index + offset
    if isinstance(event, events.AliasEvent):
        target = anchors.get(event.anchor)
        if target is None:
            raise Malformed(f"the alias *{event.anchor} has no anchor before it")
        if any(target is parent for parent in stack):
            raise Malformed(f"the alias *{event.anchor} refers to what it is part of")
        return Node("alias", start, end, size=target.size)
    if isinstance(event, events.ScalarEvent):
        node = Node("scalar", start, end, value=event.value)
    elif isinstance(event, events.SequenceStartEvent):
        node = Node("sequence", start, end, flow=bool(event.flow_style))
    else:
        node = Node("mapping", start, end, flow=bool(event.flow_style))
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _is_nothing(root: Node) -> bool:
    return root.kind == "scalar" and root.start == root.end


def _sentence(error: YAMLError) -> str:
    """The parser's finding on one line, with its place, without its advice."""
    problem = getattr(error, "problem", None) or str(error).split("\n")[0]
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
    return f"{problem}{place}"
