"""The canonical form of patterns, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from patterns import MAX_PATTERN_LENGTH, PatternError, candidate_prefixes, matches, parse

CANONICAL = [
    ("src/a.py", "src/a.py"),
    ("./src/a.py", "src/a.py"),
    ("././src/a.py", "src/a.py"),
    ("/src/a.py", "src/a.py"),
    ("src//a.py", "src/a.py"),
    ("src/./a.py", "src/a.py"),
    ("t/x/../a.py", "t/a.py"),
    ("src\\a.py", "src/a.py"),
    ("  src/a.py\n", "src/a.py"),
    ("cafe\u0301.py", "café.py"),
    ("src/", "src/**"),
    ("src/.", "src/**"),
    ("src/x/..", "src/**"),
    ("#gen/a.py", "#gen/a.py"),
    ("a b/c d.py", "a b/c d.py"),
    ("src/{x}.py", "src/{x}.py"),
    ("src/{...slug}.py", "src/{...slug}.py"),
    ("src/{a,b", "src/{a,b"),
    ("src/[z-a].py", "src/[z-a].py"),
    ("src/[", "src/["),
    ("*", "**"),
    ("/*", "**"),
    ("**", "**"),
    ("***", "**"),
    ("/**", "**"),
    ("**/*", "**"),
    ("**/**", "**"),
    ("*.py", "**/*.py"),
    ("./*.py", "**/*.py"),
    ("**/*.py", "**/*.py"),
    ("**/**/*.py", "**/*.py"),
    ("/*.py", "/*.py"),
    ("src/../*.py", "/*.py"),
    ("[id].tsx", "**/[id].tsx"),
    ("*.egg-info/", "**/*.egg-info/**"),
    ("/*.egg-info/", "*.egg-info/**"),
    ("src/a**b.py", "src/a*b.py"),
    ("src/**/", "src/**"),
    ("src/**/**", "src/**"),
    ("src/**/*", "src/**"),
    ("src/*/**", "src/*/**"),
    ("src/**/*/**", "src/*/**"),
    ("src/**/*/**/x", "src/*/**/x"),
    ("src/*/*", "src/*/*"),
    ("app/[id]/page.tsx", "app/[id]/page.tsx"),
]
REFUSED = [
    ("", "blank"),
    (" \t\n", "blank"),
    (".", "root"),
    ("/", "root"),
    ("a/..", "root"),
    ("..", "outside_root"),
    ("../x", "outside_root"),
    ("a/../../x", "outside_root"),
    ("src/*/../x", "dotdot_after_wildcard"),
    ("src/[id]/../x", "dotdot_after_wildcard"),
    ("a\0b", "control_character"),
    ("a\x07b", "control_character"),
    ("a\x85b", "control_character"),
    ("a\ud800b", "not_unicode"),
    ("!src/**", "negation"),
    ("./!src", "negation"),
    ("./ a", "blank_edge"),
    ("src/{a,b}.ts", "braces"),
    ("src/{1..3}.ts", "braces"),
    ("src/[z-a]*.py", "bad_class"),
    ("src/[*", "bad_class"),
    ("src/[[:nothing:]]?", "bad_class"),
    ("a" * (MAX_PATTERN_LENGTH + 1), "too_long"),
    ("*" + "a" * (MAX_PATTERN_LENGTH - 2), "too_long"),
    ("/".join("a" * 65), "too_deep"),
    ("*" + "[ab]" * 70, "too_many_brackets"),
]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_it_has_one_spelling(text: str, canonical: str) -> None:
    pattern = parse(text)
    assert pattern.text == canonical
    assert parse(canonical) == pattern


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_it_refuses(text: str, code: str) -> None:
    for case_insensitive in (False, True):
        with pytest.raises(PatternError) as refusal:
            parse(text, case_insensitive=case_insensitive)
        assert refusal.value.code == code
        assert len(str(refusal.value)) < 300
        assert str(refusal.value).isprintable()
        assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("src/{a,b}.ts", "Claim each of these instead: src/a.ts, src/b.ts"),
        ("{a,{b,c}}/x", "Claim each of these instead: a/x, b/x, c/x"),
        ("{a,{b}}", "Claim each of these instead: a, {b}"),
        ("v{08..10}", "Claim each of these instead: v08, v09, v10"),
        ("v{1..9..4}", "Claim each of these instead: v1, v5, v9"),
        ("v{c..a}", "Claim each of these instead: vc, vb, va"),
        (".", "Use ** to claim everything."),
    ],
)
def test_it_says_what_to_write_instead(text: str, hint: str) -> None:
    with pytest.raises(PatternError) as refusal:
        parse(text)
    assert refusal.value.hint == hint


@pytest.mark.parametrize("text", ["{a,b}" * 200, "{1..999999999}" * 70, "{a,a}" * 100 + "x" * 500])
def test_it_bounds_the_hint(text: str) -> None:
    with pytest.raises(PatternError) as refusal:
        parse(text)
    assert refusal.value.hint is not None
    assert refusal.value.hint.endswith(", …")
    assert len(refusal.value.hint) < 2000


@pytest.mark.parametrize(
    ("text", "literal", "prefix", "tail"),
    [
        ("src/a.py", True, "src/a.py", ".py"),
        ("src", True, "src", ""),
        ("src/**", False, "src", ""),
        ("src/*.py", False, "src", ".py"),
        ("src/lib/test_*.py", False, "src/lib", ".py"),
        ("*.toml", False, "", ".toml"),
        ("/*.toml", False, "", ".toml"),
        ("src/**/a.py", False, "src", ".py"),
        ("app/[id]/page.tsx", False, "app", ".tsx"),
        ("src/*.[jt]s", False, "src", ""),
        ("src/*.p*", False, "src", ""),
        ("a.py/x.ts", True, "a.py/x.ts", ""),
        ("*.js/x.ts", False, "", ""),
        ("src/*.py/**", False, "src", ""),
        ("System.Text.Json", True, "System.Text.Json", ""),
        ("README.MD", True, "README.MD", ".MD"),
        ("src/[z-a].py", True, "src/[z-a].py", ".py"),
    ],
)
def test_it_knows_prefix_and_tail(text: str, literal: bool, prefix: str, tail: str) -> None:
    pattern = parse(text)
    assert (pattern.is_literal, pattern.prefix, pattern.tail) == (literal, prefix, tail)


def test_it_folds_what_is_compared_but_keeps_the_spelling() -> None:
    pattern = parse("Src/Lib/*.PY", case_insensitive=True)
    assert (pattern.text, pattern.prefix, pattern.tail) == ("Src/Lib/*.PY", "src/lib", ".py")
    assert parse("System.Text.Json", case_insensitive=True).tail == ""
    assert parse("src/a.py", case_insensitive=True) != parse("src/a.py")


def test_it_lists_the_prefixes_above() -> None:
    assert candidate_prefixes(parse("a/b/*.py")) == ("", "a", "a/b")
    assert candidate_prefixes(parse("a")) == ("", "a")
    assert candidate_prefixes(parse("*.py")) == ("",)


TEXTS = st.one_of(
    st.text("ab/\\*?[]!^-.{},# :~\0é\u0301", max_size=20),
    st.lists(st.sampled_from(["a", "b/", "/", "**", "*", "?", "[", "]", "..", ".", "!", " ", ".py"])).map(
        "".join
    ),
    st.text(max_size=30),
)


@given(text=TEXTS, case_insensitive=st.booleans())
@settings(max_examples=600, deadline=None)
def test_it_parses_or_refuses_and_parses_its_own_text_alike(text: str, case_insensitive: bool) -> None:
    try:
        pattern = parse(text, case_insensitive=case_insensitive)
    except PatternError as refusal:
        event(refusal.code)
        return
    again = parse(pattern.text, case_insensitive=case_insensitive)
    assert again == pattern
    assert (again.prefix, again.tail, again.is_literal) == (pattern.prefix, pattern.tail, pattern.is_literal)
    if pattern.is_literal:
        assert matches(pattern, pattern.text)
        assert matches(pattern, pattern.text + "/below")
