# ruff: noqa: E501
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symbols import (
    GrammarMissing,
    SourceTooDeep,
    SourceTooLarge,
    Symbol,
    extract,
    grammars,
    guards,
    language_of,
    languages,
)
from symbols.languages import LANGUAGES, Language


def test_it_returns_frozen_symbols():
    (symbol,) = extract(b"def f():\n    pass\n", "python")
    assert symbol == Symbol("f", "function", "f", 1, 2)
    with pytest.raises(AttributeError):
        symbol.name = "g"
    assert not hasattr(symbol, "__dict__")


def test_it_refuses_an_unknown_language():
    with pytest.raises(ValueError, match="unknown language 'cobol'; known are python, "):
        extract(b"", "cobol")


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "python"),
        ("A.PY", "python"),
        ("stubs/a.pyi", "python"),
        ("a.ts", "typescript"),
        ("a.mts", "typescript"),
        ("a.cts", "typescript"),
        ("a.d.ts", "typescript"),
        ("a.tsx", "tsx"),
        ("a.js", "javascript"),
        ("a.jsx", "javascript"),
        ("a.mjs", "javascript"),
        ("a.cjs", "javascript"),
        ("src\\a.go", "go"),
        ("a.txt", None),
        ("Makefile", None),
        (".py", None),
        ("a.py/b", None),
        ("", None),
    ],
)
def test_it_knows_the_language_by_the_extension(path, language):
    assert language_of(path) == language


def test_it_has_each_extension_once():
    extensions = [extension for row in LANGUAGES.values() for extension in row.extensions]
    assert len(extensions) == len(set(extensions))
    assert all(extension == extension.lower() and extension.startswith(".") for extension in extensions)


def test_it_finds_every_grammar_that_the_development_install_has():
    assert [status.name for status in languages().values() if not status.available] == []


@pytest.fixture
def extra_language(monkeypatch):
    def add(row):
        monkeypatch.setitem(LANGUAGES, row.name, row)

    return add


def test_it_says_which_package_is_missing(extra_language):
    extra_language(Language("lost", "tree-sitter-lost", "tree_sitter_lost", (".lost",)))
    extra_language(Language("renamed", "tree-sitter-python", "tree_sitter_python", (".r",), function="lost"))
    with pytest.raises(GrammarMissing, match="tree-sitter-lost") as caught:
        extract(b"", "lost")
    assert (caught.value.language, caught.value.package) == ("lost", "tree-sitter-lost")
    with pytest.raises(GrammarMissing):
        extract(b"", "renamed")
    assert not languages()["lost"].available
    assert not languages()["renamed"].available
    assert languages()["python"].available


def test_it_learns_a_language_from_one_row_and_one_file(extra_language, monkeypatch, tmp_path):
    shutil.copytree(Path(grammars.__file__).with_name("queries"), tmp_path / "queries")
    (tmp_path / "queries" / "toy.scm").write_text(
        "(function_definition name: (identifier) @name) @definition.routine\n"
        "(class_definition name: (identifier) @name) @definition.class\n"
    )
    monkeypatch.setattr(grammars.resources, "files", lambda _package: tmp_path)
    extra_language(Language("toy", "tree-sitter-python", "tree_sitter_python", (".toy",)))
    assert language_of("a.toy") == "toy"
    assert languages()["toy"].available
    symbols = extract(b"class A:\n    def b(self): ...\n", "toy")
    assert [(symbol.kind, symbol.path) for symbol in symbols] == [("class", "A"), ("routine", "A::b")]


def test_it_refuses_large_files_before_parsing():
    with pytest.raises(SourceTooLarge, match="2000001 bytes") as caught:
        extract(b"x" * (guards.MAX_BYTES + 1), "python")
    assert (caught.value.size, caught.value.limit) == (guards.MAX_BYTES + 1, guards.MAX_BYTES)
    assert extract(b'x = """' + b"so much is read\n" * 120_000 + b'"""\n', "python")


@pytest.mark.parametrize(
    "source",
    [
        b"(" * 100_000,
        b")" * 5000 + b"[" * 5000,
        b"{" * 50_000 + b"}" * 50_000,
        b"x = [" + b"," * 500_000 + b"]",
        b"x = [" + b" ,\n" * 5_000 + b"]",
        b"f(" * 1_001 + b")" * 1_001,
        b"a<b,\n" * 100_000,
    ],
)
@pytest.mark.parametrize("language", ["python", "typescript", "javascript", "go"])
def test_it_refuses_pathological_nesting_quickly(source, language):
    start = time.process_time()
    with pytest.raises(SourceTooDeep):
        extract(source, language)
    assert time.process_time() - start < 1


def test_it_gives_up_on_a_parse_that_takes_too_long(monkeypatch):
    monkeypatch.setattr(guards, "PARSE_SECONDS", 0.05)
    with pytest.raises(SourceTooDeep, match="parsing it takes longer"):
        extract(b"a?b:" * 50_000, "go")


@pytest.mark.parametrize(
    ("source", "language"),
    [(b"lambda:" * 40_000, "python"), (b"class A:\n def f():\n  x = 1\n" + b"not " * 40_000, "python")],
)
def test_it_refuses_what_makes_no_sense_for_long(source, language):
    with pytest.raises(SourceTooDeep, match="more than 5000 keywords make no sense"):
        extract(source, language)


def test_it_keeps_nothing_of_the_source():
    source = b"".join(b"def f%d(): pass\n" % number for number in range(100))
    before = sys.getrefcount(source)
    assert len(extract(source, "python")) == 100
    assert sys.getrefcount(source) == before


@pytest.mark.parametrize(
    ("source", "language"),
    [
        (b"x = a" + b".b" * 100_000, "python"),
        (b"x = 1" + b" + 1" * 100_000, "python"),
        (b"not " * 50_000 + b"1", "python"),
        (b"if (a) {} else " * 30_000 + b"{}", "javascript"),
        (b"".join(b" " * depth + b"if x:\n" for depth in range(400)) + b" " * 400 + b"y = 1", "python"),
        (b"x = '" + b"(" * 900 + b"'", "python"),
    ],
)
def test_it_reads_long_chains_in_linear_time(source, language):
    start = time.process_time()
    extract(source, language)
    assert time.process_time() - start < 5


def test_it_bounds_the_depth_of_paths():
    source = b"\n".join(b" " * depth + b"def f%d():" % depth for depth in range(60)) + b" pass"
    depths = [symbol.path.count("::") + 1 for symbol in extract(source, "python")]
    assert max(depths) == 32


def test_it_imports_no_grammar_until_it_is_needed():
    code = "import sys, symbols; symbols.language_of('a.py'); print([m for m in sys.modules if 'tree_sitter' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("blank", [b" ", b"\t", b" \\\n", b" \\\r\n"])
def test_it_refuses_what_is_indented_too_deep_for_the_grammar(blank):
    source = b"".join(blank * depth + b"if x:\n" for depth in range(600)) + blank * 600 + b"y = 'a'\n"
    with pytest.raises(SourceTooDeep, match="indented by more than 500 columns"):
        extract(source, "python")


def test_it_reads_what_is_far_to_the_right():
    assert extract(b"x = 1" + b" " * 600 + b"# a\n", "python") == (Symbol("x", "variable", "x", 1, 1),)
