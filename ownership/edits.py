"""Machine edits of owners.yaml. Pure, no Django.

ruamel.yaml reads the document and says where each node stands; an edit changes the text of one entry and
leaves every other character as it is. The result is read again: it must mean what was asked for and
nothing else, or the edit is refused. All functions raise :class:`InvalidDocument`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ownership import layout, syntax
from ownership.documents import SECTIONS, InvalidDocument
from ownership.layout import COMMENT
from ownership.scalars import scalar
from ownership.syntax import Node
from patterns import PatternError
from patterns import parse as parse_pattern

PERMANENT = "coord-managed=permanent"
_PROMOTED = re.compile(r"\bauto-promoted=(\d{4}-\d{2}-\d{2})\b")
_NOTHING = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of ``shared_files``. ``promoted`` is the day of its marker; ``permanent`` is never demoted."""

    pattern: str
    promoted: date | None = None
    permanent: bool = False

    @property
    def managed(self) -> bool:
        """Whether the service added the entry and may remove it."""
        return self.promoted is not None and not self.permanent


def entries(text: str) -> list[Entry]:
    """The entries of the global ``shared_files`` with their markers, in order."""
    found = _find(_root(text), "shared_files")
    return [] if found is None else [_entry(text, item) for item in _items(found[1], "shared_files")]


def same(one: str, other: str) -> bool:
    """Whether two pattern texts are one pattern."""
    return one == other or _canonical(one) == _canonical(other)


def add_shared(text: str, pattern: str, *, promoted: date | None = None, permanent: bool = False) -> str:
    """The document with the pattern in ``shared_files``, marked as told; unchanged when it is there."""
    before = entries(text)
    if any(same(entry.pattern, pattern) for entry in before):
        return text
    written = _scalar(pattern)
    result = _append(text, "shared_files", [written], written, indent=2)
    marks = [f"auto-promoted={promoted.isoformat()}"] if promoted else []
    marks += [PERMANENT] if permanent else []
    if marks:
        result = _annotate(result, len(before), " ".join(marks))
    _check(text, result, lambda data: _list_of(data, "shared_files").append(pattern))
    _expect(result, [*before, Entry(pattern, promoted, permanent)])
    return result


def remove_shared(text: str, patterns: Collection[str]) -> str:
    """The document without the entries of these patterns. An empty ``shared_files`` goes with its header."""
    root = _root(text)
    found = _find(root, "shared_files")
    before = entries(text)
    wanted = {_canonical(pattern) for pattern in patterns} | set(patterns)
    gone = {i for i, entry in enumerate(before) if {entry.pattern, _canonical(entry.pattern)} & wanted}
    if not gone or root is None or found is None:
        return text
    kept = [entry for i, entry in enumerate(before) if i not in gone]
    headless = not kept and any(_find(root, key) for key in (*SECTIONS, "suggested_splits", "repos"))
    if kept:
        result = text
        for index in sorted(gone, reverse=True):
            result = layout.drop_item(result, found[1], index)
            if found[1].flow:
                found = _find(_root(result), "shared_files") or found
    elif headless and not root.flow:
        result = layout.drop_list(text, *found, tidy=True)
    else:
        headless = False
        result = layout.empty_list(text, *found)

    def change(data: dict[str, Any]) -> None:
        data["shared_files"][:] = [item for i, item in enumerate(data["shared_files"]) if i not in gone]
        if headless:
            del data["shared_files"]

    if headless and not _means(text, result, change):
        result = layout.drop_list(text, *found, tidy=False)
    _check(text, result, change)
    _expect(result, kept)
    return result


def pin(text: str, pattern: str) -> str:
    """The document with the pattern in ``shared_files``, marked permanent; added when it is not there."""
    before = entries(text)
    index = next((i for i, entry in enumerate(before) if same(entry.pattern, pattern)), None)
    if index is None:
        return add_shared(text, pattern, permanent=True)
    if before[index].permanent:
        return text
    result = _annotate(text, index, PERMANENT)
    before[index] = replace(before[index], permanent=True)
    _check(text, result, lambda data: None)
    _expect(result, before)
    return result


def add_split(text: str, pattern: str, *, suggested_at: str, note: str | None = None) -> str:
    """The document with a suggested split of the pattern; as it is when there is one already."""
    found = _find(_root(text), "suggested_splits")
    if found and any(same(_pattern_of(item), pattern) for item in _items(found[1], "suggested_splits")):
        return text
    fields = {"pattern": pattern, "suggested_at": suggested_at} | ({"note": note} if note else {})
    lines = [f"{key}: {_scalar(value)}" for key, value in fields.items()]
    before = entries(text)
    result = _append(text, "suggested_splits", lines, "{" + ", ".join(lines) + "}", indent=0)
    _check(text, result, lambda data: _list_of(data, "suggested_splits").append(fields))
    _expect(result, before)
    return result


# Reading


def _root(text: str) -> Node | None:
    try:
        root = syntax.parse(text)
    except syntax.Malformed as error:
        raise InvalidDocument(f"Invalid YAML: {error}") from None
    if root is not None and root.kind != "mapping":
        raise InvalidDocument("The document must be a mapping at the top level")
    return root


def _find(root: Node | None, key: str) -> tuple[Node, Node] | None:
    """The key and value nodes of a top-level key."""
    for name, value in root.pairs() if root else ():
        if name.kind == "scalar" and name.value == key:
            return name, value
    return None


def _items(value: Node, key: str) -> Sequence[Node]:
    """The items of a list that the document has under ``key``; none when nothing is there."""
    if value.kind == "sequence":
        return value.children
    if value.kind == "scalar" and value.value in _NOTHING:
        return ()
    if value.kind == "alias":
        raise InvalidDocument(f"`{key}` is an alias; write the list itself so that it can be edited")
    raise InvalidDocument(f"`{key}` must be a list")


def _pattern_of(item: Node) -> str:
    if item.kind == "mapping":
        return next((v.value for k, v in item.pairs() if k.value == "pattern" and v.kind == "scalar"), "")
    return item.value


def _entry(text: str, item: Node) -> Entry:
    comment = " ".join(found.group(1) for at in _ends(item) if (found := COMMENT.match(text, at)))
    marker = _PROMOTED.search(comment)
    try:
        promoted = date.fromisoformat(marker.group(1)) if marker else None
    except ValueError:
        promoted = None
    return Entry(_pattern_of(item), promoted, PERMANENT in comment)


def _ends(item: Node) -> list[int]:
    """Where comments of the item can begin: behind it, and behind each value of a block mapping."""
    if item.kind == "mapping" and not item.flow:
        return [end for _, value in item.pairs() for end in _ends(value)]
    return [item.last]


def _canonical(text: str) -> str:
    try:
        return parse_pattern(text).text
    except PatternError:
        return text


# Writing


def _scalar(text: str) -> str:
    try:
        return scalar(text)
    except ValueError as error:
        raise InvalidDocument(str(error)) from None


def _append(text: str, key: str, lines: Sequence[str], inline: str, *, indent: int) -> str:
    """One more item in the list ``key``: ``lines`` in a block list, ``inline`` in a flow list."""
    root = _root(text)
    found = _find(root, key)
    if found is not None:
        _items(found[1], key)
    return layout.append(text, root, key, found, lines, inline, indent=indent)


def _annotate(text: str, index: int, mark: str) -> str:
    found = _find(_root(text), "shared_files")
    if found is None or len(found[1].children) <= index:
        raise _unsafe()
    return layout.annotate(text, *found, index, mark)


def _list_of(data: dict[str, Any], key: str) -> list[Any]:
    """The list under ``key``, made when the document has none."""
    if data.get(key) is None:
        data[key] = []
    items: list[Any] = data[key]
    return items


def _means(text: str, result: str, change: Callable[[dict[str, Any]], object]) -> bool:
    """Whether ``result`` says what ``text`` says with ``change`` made to it, and nothing else."""
    try:
        before, after = syntax.load(text), syntax.load(result)
    except syntax.Malformed:
        return False
    expected = copy.deepcopy(before) if before is not None else {}
    change(expected)
    # repr tells 1 from True and compares NaN; the values are plain and never refer to themselves.
    return repr(after) == repr(expected)


def _check(text: str, result: str, change: Callable[[dict[str, Any]], object]) -> None:
    if not _means(text, result, change):
        raise _unsafe()


def _expect(text: str, expected: list[Entry]) -> None:
    """Whether the entries of ``shared_files`` and their markers are these."""
    if entries(text) != expected:
        raise _unsafe()


def _unsafe() -> InvalidDocument:
    return InvalidDocument(
        "The list is laid out in a way that cannot be edited safely; edit the document by hand"
    )
