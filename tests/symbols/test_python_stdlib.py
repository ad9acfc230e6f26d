"""Python's own standard library, compared exactly with what the `ast` module says of it."""

import ast
import re
import sysconfig
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from symbols import SourceTooDeep, SourceTooLarge, extract

STDLIB = Path(sysconfig.get_path("stdlib"))
PARTS = 6
# The grammar loses its place in one test module, at an attribute access that is broken over two lines.
MISREAD = {"test_compile.py"}
# What the compiler itself refuses: deliberately broken files.
UNREADABLE = re.compile(r"(lib2to3/tests/data|test/tokenizedata)/.*")

Span = tuple[int, int]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def sources() -> list[Path]:
    """Every module of the standard library and a third of its tests, in a fixed order.

    Nothing that was installed on top of it.
    """
    outside = {"site-packages", "dist-packages", "__pycache__"}
    paths = sorted(path for path in STDLIB.rglob("*.py") if not outside & set(path.parts))
    tests = [path for path in paths if {"test", "tests"} & set(path.parts)]
    return [path for path in paths if path not in set(tests)] + [
        path for number, path in enumerate(tests) if number % 3 == 0 or path.name in MISREAD
    ]


def targets(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name():
            yield node.id
        case ast.Starred():
            yield from targets(node.value)
        case ast.Tuple() | ast.List():
            for element in node.elts:
                yield from targets(element)


def definitions(node: ast.AST, parent: str = "", *, local: bool = False) -> Iterator[tuple[str, Span]]:
    """Each path that the syntax tree defines, with the lines from its first decorator to its end."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            path = f"{parent}::{child.name}" if parent else child.name
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            yield path, (first, child.end_lineno)
            yield from definitions(child, path, local=isinstance(child, FUNCTIONS))
            continue
        if isinstance(child, ast.Assign | ast.AnnAssign) and not local:
            for target in child.targets if isinstance(child, ast.Assign) else [child.target]:
                for name in targets(target):
                    yield (f"{parent}::{name}" if parent else name), (target.lineno, child.end_lineno)
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from definitions(child, parent, local=local)


def same_lines(found: Span, span: Span, lines: list[bytes]) -> bool:
    """Whether the two spans are equal but for comments at the end of a body, which `ast` does not know."""
    rest = [line.strip() for line in lines[span[1] : found[1]]]
    return (
        found[0] == span[0]
        and found[1] >= span[1]
        and all(not line or line.startswith(b"#") for line in rest)
    )


def compare(source: bytes) -> tuple[set[str], dict[str, tuple[Span, Span]]]:
    """The paths that only one of the two found, and those defined once whose lines differ."""
    expected: dict[str, list[Span]] = {}
    for path, span in definitions(ast.parse(source)):
        expected.setdefault(path, []).append(span)
    found: dict[str, Span] = {}
    for symbol in extract(source, "python"):
        path = unicodedata.normalize("NFKC", symbol.path)  # as the compiler does
        assert path not in found
        found[path] = (symbol.start_line, symbol.end_line)
    once = {path: spans[0] for path, spans in expected.items() if len(spans) == 1 and path in found}
    lines = source.splitlines()
    moved = {
        path: (found[path], span) for path, span in once.items() if not same_lines(found[path], span, lines)
    }
    return found.keys() ^ expected.keys(), moved


@pytest.mark.parametrize("part", range(PARTS))
def test_it_agrees_with_ast(part):
    wrong: dict[str, object] = {}
    unreadable: set[str] = set()
    for path in sources()[part::PARTS]:
        name = path.relative_to(STDLIB).as_posix()
        try:
            different, moved = compare(path.read_bytes())
        except (SyntaxError, ValueError, SourceTooLarge, SourceTooDeep):
            unreadable.add(name)
            continue
        if different or moved:
            wrong[name] = different, moved
    assert {Path(name).name for name in wrong} <= MISREAD, wrong
    assert [name for name in unreadable if not UNREADABLE.fullmatch(name)] == []


def test_it_reads_a_whole_library():
    assert len(sources()) > 500
