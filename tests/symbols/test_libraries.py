"""Whole libraries in TypeScript, JavaScript and Go, checked against what their lines say.

Their authors format by tool, so that a definition can be told by how its line begins: an extractor that
shares nothing with ours.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from symbols import SourceTooLarge, accepted_paths, extract
from tests.symbols import packages

GO_FUNCTION = re.compile(r"func (\w+)[\[(]")
GO_METHOD = re.compile(r"func \((?:\w+ )?\*?(\w+)(?:\[[^]]*\])?\) (\w+)\(")
GO_TYPE = re.compile(r"type (\w+) ")
EXPORT = re.compile(
    r"export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|enum|const|let) (\w+)"
)
MEMBER = re.compile(r"  (?:(?:private|protected|public|static|async|readonly) )*(\w+)(?:<[^>]*>)?\([^;]*\{$")
FUNCTION = re.compile(r"\s*function (\w+)\(")
GENERATED = "astgen/stdast.go"
"""A file of 8 MB that no person edits: larger than what is read."""


@pytest.fixture(scope="module", autouse=True)
def _fetched():
    packages.fetch()


def read(package, under, ending, language):
    """Name, lines and symbols of each file."""
    for name, source in package.sources(under, ending):
        try:
            symbols = extract(source, language)
        except SourceTooLarge:
            assert name == GENERATED
            continue
        yield name, source.decode().splitlines(), symbols


LIBRARIES = [
    (packages.TYPESCRIPT, "src/", ".ts", "typescript", 251, {"function": 316, "class": 33, "interface": 83}),
    (packages.JAVASCRIPT, "", ".js", "javascript", 1048, {"function": 1722, "method": 20}),
    (packages.GO, "", ".go", "go", 61, {"function": 527, "method": 440, "struct": 151, "interface": 15}),
]


@pytest.mark.parametrize(("package", "under", "ending", "language", "files", "counts"), LIBRARIES)
def test_it_reads_a_whole_library(package, under, ending, language, files, counts):
    kinds = Counter()
    number = 0
    for name, lines, symbols in read(package, under, ending, language):
        number += 1
        kinds.update(symbol.kind for symbol in symbols)
        paths = [symbol.path for symbol in symbols]
        assert len(set(paths)) == len(paths), name
        for symbol in symbols:
            assert 1 <= symbol.start_line <= symbol.end_line <= len(lines), (name, symbol)
            assert symbol.path.endswith(symbol.name)
            words = re.findall(r"\w+", symbol.name)
            text = "\n".join(lines[symbol.start_line - 1 : symbol.end_line])
            assert symbol.name == "default" or all(word in text for word in words), (name, symbol)
    assert number == files
    assert {kind: kinds[kind] for kind in counts} == counts


def test_it_agrees_with_the_lines_of_a_go_module():
    for name, lines, symbols in read(packages.GO, "", ".go", "go"):
        expected = set()
        for line in lines:
            if found := GO_METHOD.match(line):
                expected.add((f"{found[1]}::{found[2]}", "method"))
            elif found := GO_FUNCTION.match(line):
                expected.add((found[1], "function"))
            elif found := GO_TYPE.match(line):
                expected.add((found[1], "type"))
        types = ("struct", "interface", "type")
        top = {
            (symbol.path, "type" if symbol.kind in types else symbol.kind)
            for symbol in symbols
            if "::" not in symbol.path
            and symbol.kind in ("function", *types)
            and lines[symbol.start_line - 1].startswith(("func", "type"))
        }
        methods = {
            (symbol.path, "method")
            for symbol in symbols
            if symbol.kind == "method" and lines[symbol.start_line - 1].startswith("func")
        }
        assert top | methods == expected, name


def test_it_finds_every_export_of_a_typescript_library_on_its_line():
    missing = defaultdict(list)
    seen = 0
    for name, lines, symbols in read(packages.TYPESCRIPT, "src/", ".ts", "typescript"):
        spans = {symbol.path: range(symbol.start_line, symbol.end_line + 1) for symbol in symbols}
        exported = [
            (number, found[1]) for number, line in enumerate(lines, 1) if (found := EXPORT.match(line))
        ]
        seen += len(exported)
        times = Counter(path for _, path in exported)
        for number, path in exported:
            # An interface and a constant may share a name: then the longer one is shown.
            if path not in spans or (times[path] == 1 and number not in spans[path]):
                missing[name].append(path)
    assert seen > 600
    assert not missing


def test_it_finds_the_methods_of_typescript_classes_under_their_class():
    seen = 0
    for name, lines, symbols in read(packages.TYPESCRIPT, "src/", ".ts", "typescript"):
        classes = [symbol for symbol in symbols if symbol.kind == "class"]
        known = accepted_paths(symbols)
        for number, line in enumerate(lines, 1):
            found = MEMBER.match(line)
            around = [c for c in classes if c.start_line < number < c.end_line]
            if found and around and found[1] not in ("if", "for", "while", "switch", "catch"):
                seen += 1
                assert f"{around[0].path}::{found[1]}" in known, (name, line)
    assert seen > 80


def test_it_finds_every_function_of_a_javascript_library():
    missing = defaultdict(list)
    seen = 0
    for name, lines, symbols in read(packages.JAVASCRIPT, "", ".js", "javascript"):
        names = {symbol.name for symbol in symbols}
        for line in lines:
            if found := FUNCTION.match(line):
                seen += 1
                if found[1] not in names:
                    missing[name].append(line)
    assert seen > 1000
    assert not missing
