"""``literal``: one existing path, in which no character is a wildcard."""

from __future__ import annotations

import pytest

from patterns import PatternError, literal, matches, overlaps, parse

NAMES = ["a*.py", "what?.md", "[id]", "{a,b}.ts", "!x", " blank ", "tab\there", "#x", "a\\b"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_only_the_path(name):
    path = literal(f"dir/{name}")
    assert (path.text, path.prefix, path.is_literal) == (f"dir/{name}", f"dir/{name}", True)
    assert matches(path, f"dir/{name}")
    assert not matches(path, "dir/ab.py")
    assert overlaps(path, literal(f"dir/{name}"))
    assert overlaps(path, parse("dir/**"))
    assert overlaps(parse("**"), path)
    assert not overlaps(path, literal("dir/ab.py"))
    assert not overlaps(path, parse("other/**"))


def test_it_does_not_read_wildcards():
    assert not overlaps(literal("src/a*.py"), parse("src/ab.py"))
    assert overlaps(literal("src/a*.py"), parse("src/*.py"))
    assert not overlaps(literal("app/[id]/x.ts"), parse("app/i/x.ts"))
    assert overlaps(literal("app/[id]/x.ts"), parse("app/[id]/x.ts"))


@pytest.mark.parametrize("path", ["src/a.py", "README.md", "app/[id]/page.tsx", "vendor/next.js/lib/x.js"])
def test_it_meets_what_the_parsed_path_meets(path):
    for text in ("**", "src/**", "*.py", "**/*.js", "README.md", "app/**", "app/[id]/**", "vendor/*/lib/**"):
        assert overlaps(literal(path), parse(text)) == matches(parse(text), path), text


def test_it_folds_case_when_asked():
    assert overlaps(literal("SRC/A.PY", case_insensitive=True), parse("src/a.py", case_insensitive=True))
    assert not overlaps(literal("SRC/A.PY"), parse("src/a.py"))


def test_it_composes_characters():
    assert literal("cafe\u0301.md").text == "caf\u00e9.md"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "blank"),
        ("./", "blank"),
        ("a/../b", "outside_root"),
        ("x" * 1025, "too_long"),
        ("/".join("d" * 65), "too_deep"),
    ],
)
def test_it_refuses_what_is_no_path(path, code):
    with pytest.raises(PatternError) as refused:
        literal(path)
    assert refused.value.code == code
