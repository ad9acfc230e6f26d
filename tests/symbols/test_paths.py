import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbols import accepted_paths, ancestors, extract, nearest, parse_symbol_path, paths_overlap


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("f", "f"),
        (" Foo :: bar ", "Foo::bar"),
        ("operator  bool", "operator bool"),
        ("A\u030a", "\u00c5"),
        ("::".join("abcdefghijklmnopqrstuvwxyzABCDEF"), "::".join("abcdefghijklmnopqrstuvwxyzABCDEF")),
        ("x" * 512, "x" * 512),
    ],
)
def test_it_gives_the_canonical_form(text, path):
    assert parse_symbol_path(text) == path
    assert parse_symbol_path(path) == path


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must not be empty"),
        ("   ", "must not be empty"),
        ("::", "empty part"),
        ("a::", "empty part"),
        ("::b", "empty part"),
        ("a:: ::b", "empty part"),
        ("a:::b", "empty part"),
        ("a\x00b", "control character"),
        ("x" * 513, "at most 512 characters, this one has 513"),
        ("::".join("a" * 33), "at most 32 parts, this one has 33"),
    ],
)
def test_it_refuses_what_is_no_path(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_symbol_path(text)


@given(st.text(max_size=600))
def test_it_is_stable_or_refuses(text):
    try:
        path = parse_symbol_path(text)
    except ValueError:
        return
    assert parse_symbol_path(path) == path
    assert all(path.split("::"))


@pytest.mark.parametrize(
    ("a", "b", "overlap"),
    [
        ("Foo", "Foo", True),
        ("Foo", "Foo::bar", True),
        ("Foo", "Foo::bar::baz", True),
        ("Foo::a", "Foo::b", False),
        ("Foo", "FooBar", False),
        ("Foo::a", "Bar::a", False),
    ],
)
def test_it_compares_paths_in_both_directions(a, b, overlap):
    assert paths_overlap(a, b) is overlap
    assert paths_overlap(b, a) is overlap


def test_it_lists_ancestors_outermost_first():
    assert ancestors("A::B::c") == ["A", "A::B"]
    assert ancestors("a") == []


def test_it_accepts_ancestors_that_the_file_only_mentions():
    symbols = extract(b"package p\nfunc (s *S) M() {}\n", "go")
    assert accepted_paths(symbols) == {"S", "S::M"}


def test_it_suggests_the_nearest_spelling_first():
    names = ["parse", "parse_path", "Router::handle", "Other::handle", "zzz"]
    assert nearest(names, "prase")[0] == "parse"
    assert nearest(names, "handle")[:2] == ["Other::handle", "Router::handle"]
    assert nearest(names, "PARSE")[0] == "parse"
    assert nearest(names, "qqqqqqqq") == []
    assert len(nearest([f"name{n}" for n in range(50)], "name", limit=3)) == 3
