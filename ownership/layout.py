"""Where an entry stands in the text of a document, and how to add, mark or drop it there. Pure, no Django.

Positions come from ruamel.yaml's nodes. Functions return the new text; whether it means what was wanted is
for the caller to check. Style is kept: indentation, flush-left lists, flow lists on one or more lines, line
ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ownership.syntax import Node

COMMENT = re.compile(r"[ \t]*,?[ \t]*(?<=[ \t,])(#[^\r\n]*)")
"""The comment behind an item's end, on its line; a comma may come before it."""

_PROPERTIES = re.compile(r"(?:[&!]\S*|\s|#[^\n]*)*")
_BROKEN_LINE = re.compile(r"[ \t]*(,?)[ \t]*#[^\n]*\n[ \t]*")
_LONE = re.compile(r"[ \t]*,?[ \t]*(?:#[^\n]*)?")

Pair = tuple[Node, Node]


def append(
    text: str,
    root: Node | None,
    key: str,
    found: Pair | None,
    lines: Sequence[str],
    inline: str,
    *,
    indent: int,
) -> str:
    """One more item in the list ``key``: ``lines`` in a block list, ``inline`` in a flow list.

    A list that is missing or empty is written in block style, its items ``indent`` deeper than the key.
    """
    if root is not None and root.flow:
        return _append_in_flow_root(text, root, key, found, inline)
    if found is None:
        return _append_key(text, root, key, lines, indent)
    name, value = found
    if value.kind == "sequence" and value.flow and (value.children or _holds_comment(text, value)):
        return _append_in_flow(text, value, inline, _column(text, name.start) + 2)
    if value.kind == "sequence" and not value.flow:
        column = _column(text, _first_dash(text, value))
        at = _after_comments(text, _next_line(text, value.last), column)
        return _insert(text, at, _block(lines, column))
    column = _column(text, name.start) + indent
    if value.end > value.start:
        text = text[: value.start].rstrip(" \t") + text[value.end :]
    return _insert(text, _next_line(text, name.end), _block(lines, column))


def annotate(text: str, name: Node, value: Node, index: int, mark: str) -> str:
    """``mark`` at the end of the comment of item ``index``; the comment begins where there is none."""
    end = value.children[index].last
    comment = COMMENT.match(text, end)
    if comment:
        at = end + len(comment.group().rstrip())
        return f"{text[:at]} {mark}{text[at:]}"
    at = end + (len(comma.group()) if value.flow and (comma := re.match(r"[ \t]*,", text[end:])) else 0)
    rest = text[at : _line_end(text, at)]
    if not value.flow or not rest.strip():
        return f"{text[:at]}  # {mark}{text[at:]}"
    lead = _newline(text) + " " * (_column(text, name.start) + 2)
    return f"{text[:at]}  # {mark}{lead}{text[at:].lstrip(' ')}"


def drop_item(text: str, value: Node, index: int) -> str:
    """The list without item ``index``, some other item staying."""
    item = value.children[index]
    if not value.flow:
        begin = text.rindex("-", 0, item.start + 1)
        return text[: _line_start(text, begin)] + text[_next_line(text, item.last) :]
    first, after = _line_start(text, item.start), _next_line(text, item.last)
    if not text[first : item.start].strip() and _LONE.fullmatch(text[item.last : after].rstrip("\r\n")):
        return text[:first] + text[after:]
    if not index:
        return text[: item.start] + text[value.children[1].start :]
    before, behind = text[: value.children[index - 1].last], text[item.last :]
    comment = _BROKEN_LINE.match(behind)
    if comment:
        behind = (", " if comment.group(1) else "") + behind[comment.end() :]
    return before + behind


def drop_list(text: str, name: Node, value: Node, *, tidy: bool) -> str:
    """The text without the key, its value and their comments; ``tidy`` drops one of two blank lines left."""
    first = _line_start(text, name.start)
    after = _next_line(text, value.last)
    if not value.flow:
        after = _after_comments(text, after, max(1, _column(text, _first_dash(text, value))))
    before, behind = text[:first], text[after:]
    blank_before = re.search(r"(?:^|\n)([ \t]*\r?\n)\Z", before)
    if tidy and blank_before and (not behind or re.match(r"[ \t]*\r?\n", behind)):
        before = before[: blank_before.start(1)]
    return before + behind


def empty_list(text: str, name: Node, value: Node) -> str:
    """The text with ``[]`` for the list."""
    if value.flow:
        return text[: value.start] + "[]" + text[value.end :]
    after = _after_comments(
        text, _next_line(text, value.last), max(1, _column(text, _first_dash(text, value)))
    )
    colon = text.index(":", name.end) + 1
    return f"{text[:colon]} []{_newline(text)}{text[after:]}"


def _append_key(text: str, root: Node | None, key: str, lines: Sequence[str], indent: int) -> str:
    """The key with its first item at the end of the document: before an explicit end, behind all comments."""
    column = _column(text, root.start) if root is not None else 0
    block = [f"{' ' * column}{key}:", *_block(lines, column + indent)]
    at = len(text)
    if root is not None:
        ending = re.compile(r"^\.\.\.", re.MULTILINE).search(text, root.last)
        at = ending.start() if ending else at
    return _insert(text, at, block)


def _append_in_flow_root(text: str, root: Node, key: str, found: Pair | None, inline: str) -> str:
    if found is None:
        return _append_in_flow(text, root, f"{key}: [{inline}]", 2)
    value = found[1]
    if value.kind == "sequence":
        return _append_in_flow(text, value, inline, 2)
    glue = "" if text[value.start - 1].isspace() else " "
    return f"{text[: value.start]}{glue}[{inline}]{text[value.end :]}"


def _append_in_flow(text: str, node: Node, inline: str, column: int) -> str:
    """One more item behind the last one, on a line of its own where the closing bracket has one."""
    close = node.end - 1
    if not node.children:
        return text[:close] + inline + text[close:]
    last = node.children[-1].last
    gap = text[last:close]
    trailing_comma = "," in re.sub(r"#[^\n]*", "", gap)
    if "\n" not in gap:
        kept = gap.rstrip() if trailing_comma else ","
        return f"{text[:last]}{kept} {inline}{gap[len(gap.rstrip()) :]}{text[close:]}"
    start = _line_start(text, node.children[-1].start)
    own = text[start : node.children[-1].start]
    lead = own if own and not own.strip() else " " * column
    if not trailing_comma:
        text = f"{text[:last]},{text[last:]}"
    return _insert(text, _next_line(text, last), [lead + inline])


def _block(lines: Sequence[str], column: int) -> list[str]:
    """The lines of one block item: the first behind a dash, the others below it."""
    lead = " " * column
    return [f"{lead}- {lines[0]}", *(f"{lead}  {line}" for line in lines[1:])]


def _insert(text: str, at: int, lines: Iterable[str]) -> str:
    """The text with whole lines before ``at``, which is the start of a line or the end of the text."""
    newline = _newline(text)
    block = "".join(line + newline for line in lines)
    missing = newline if at and not text[:at].endswith("\n") else ""
    return text[:at] + missing + block + text[at:]


def _first_dash(text: str, value: Node) -> int:
    """Where a block list's first dash is: behind the list's anchor or tag, if it has one."""
    found = _PROPERTIES.match(text, value.start)
    return found.end() if found and text[value.start] in "&!" else value.start


def _after_comments(text: str, at: int, column: int) -> int:
    """Behind the comment lines that follow directly and belong to a list indented by ``column``."""
    while column and at < len(text):
        line = text[at : _line_end(text, at) + 1]
        bare = line.lstrip(" ")
        if not bare.startswith("#") or len(line) - len(bare) < column:
            break
        at += len(line)
    return at


def _holds_comment(text: str, value: Node) -> bool:
    return "#" in text[value.start : value.end] or "\n" in text[value.start : value.end]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _next_line(text: str, at: int) -> int:
    """The start of the line after the one that has the last character before ``at``."""
    at = len(text[:at].rstrip()) if _line_start(text, at) == at else at
    return min(_line_end(text, at) + 1, len(text))


def _column(text: str, at: int) -> int:
    start = _line_start(text, at)
    return at - start - (text[start : start + 1] == "\ufeff")
