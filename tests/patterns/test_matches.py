"""What a pattern covers, compared with gitignore as pathspec and git itself understand it."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.basic import GitIgnoreBasicPattern

from patterns import matches, parse
from patterns.folding import fold_char
from tests.patterns import reference

COVERED = [
    ("src/a.py", "src/a.py"),
    ("src", "src/deep/a.py"),
    ("*.py", "a.py"),
    ("*.py", "deep/down/a.py"),
    ("/*.py", "a.py"),
    ("build*", "lib/build-1/out.o"),
    ("src/**", "src/a/b"),
    ("**/x", "x"),
    ("**/x", "a/b/x"),
    ("a/**/b", "a/b"),
    ("a/**/b", "a/x/y/b"),
    ("*", "any/thing"),
    ("/*", "any/thing"),
    ("**", "any/thing"),
    ("dir/*", "dir/x"),
    ("a?c", "abc"),
    ("[a-c]x", "bx"),
    ("[!a-c]x", "dx"),
    ("[^a-c]x", "dx"),
    ("[]a]x", "]x"),
    ("[a-]x", "-x"),
    ("[[:digit:]]x", "7x"),
    ("[![:alpha:]]x", "7x"),
    ("app/[id]/page.tsx", "app/[id]/page.tsx"),
    ("app/[id]/page.tsx", "app/d/page.tsx"),
    ("app/[...slug]/page.tsx", "app/[...slug]/page.tsx"),
    ("app/[[...slug]]/**", "app/[[...slug]]/page.tsx"),
    ("src/[z-a].py", "src/[z-a].py"),
    ("[", "[/x"),
    ("src/{{cookiecutter.name}}/a.py", "src/{{cookiecutter.name}}/a.py"),
    ("#gen/**", "#gen/a.py"),
    ("café.py", "cafe\u0301.py"),
]
NOT_COVERED = [
    ("src/a.py", "src/a.pyc"),
    ("README.md", "docs/README.md"),
    ("src", "lib/src/a.py"),
    ("/*.py", "src/a.py"),
    ("src/*.py", "src/deep/a.py"),
    ("src/**", "src"),
    ("dir/*", "dir/x/y"),
    ("dir/*", "other/dir/x"),
    ("a?c", "a/c"),
    ("a[!x]c", "a/c"),
    ("a[.-0]c", "a/c"),
    ("[!a-c]x", "ax"),
    ("app/[id]/page.tsx", "app/x/page.tsx"),
    ("src/[z-a].py", "src/z.py"),
    ("*.PY", "a.py"),
]


@pytest.mark.parametrize(("text", "path"), COVERED)
def test_it_covers(text: str, path: str) -> None:
    assert matches(parse(text), path)


@pytest.mark.parametrize(("text", "path"), NOT_COVERED)
def test_it_does_not_cover(text: str, path: str) -> None:
    assert not matches(parse(text), path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("SRC/A.py", "src/a.PY"),
        ("*.Py", "A.PY"),
        ("[A-C]x", "bX"),
        ("[É]x", "éX"),
        ("ΣΑΣ/*", "σας/x"),
        ("STRAẞE", "straße"),
    ],
)
def test_it_ignores_case_when_told(text: str, path: str) -> None:
    assert matches(parse(text, case_insensitive=True), path)
    assert not matches(parse(text), path)


@pytest.mark.parametrize(("text", "path"), [("[!A]x", "ax"), ("[!a]x", "Ax"), ("[!É]x", "éx"), ("a?", "a")])
def test_it_negates_without_case(text: str, path: str) -> None:
    assert not matches(parse(text, case_insensitive=True), path)


def wild(pieces: list[str]) -> st.SearchStrategy[str]:
    """Patterns with wildcards. Segments have no dots alone, so none is `.` or `..`."""
    segments = st.lists(st.sampled_from(pieces), min_size=1, max_size=4).map("".join)
    texts = st.lists(st.one_of(st.just("**"), segments), min_size=1, max_size=4).map("/".join)
    whole = st.tuples(st.sampled_from(["", "/"]), texts, st.sampled_from(["", "", "", "/"])).map("".join)
    # A closing `**/` is the directories below for gitignore; here it is the same as `**`.
    return whole.filter(lambda text: bool(set("*?[") & set(text)) and not text.endswith("**/"))


PIECES = ["a", "b", "-", "*", "?", "[ab]", "a.py"]
PATHS = st.lists(
    st.sampled_from(["a", "b", "-", ".py", "a.py", "ab", "ba", "b-a", "bb.c", "aab"]), min_size=1, max_size=4
).map("/".join)


@given(text=wild([*PIECES, "[a-c]", "[]-]"]), path=PATHS)
@settings(max_examples=400, deadline=None)
def test_it_agrees_with_pathspec(text: str, path: str) -> None:
    # Negated classes are left to git: pathspec lets them match a slash, git does not, and neither do we. `/*`
    # alone is everything, as for git and as `*` is.
    assume(text != "/*")
    theirs = GitIgnoreBasicPattern(text).match_file(path)
    assert matches(parse(text), path) == (theirs is not None)


@given(text=wild([*PIECES, "[!a]", "[!b]"]), path=PATHS)
@settings(max_examples=300, deadline=None)
def test_it_agrees_with_the_plainest_reading(text: str, path: str) -> None:
    pattern = parse(text)
    assert matches(pattern, path) == reference.covers(pattern.text, path)


def test_it_folds_every_letter_that_has_two_cases() -> None:
    assert not any(fold_char(chr(code)) != chr(code) for code in range(0x20000, 0x110000, 7))


def ignored_by_git(root: Path, cases: list[tuple[str, str]]) -> set[int]:
    """The indexes of the cases (pattern, path) in which git ignores the path: one directory per pattern."""
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for index, (text, _) in enumerate(cases):
        (root / str(index)).mkdir()
        (root / str(index) / ".gitignore").write_text(text + "\n")
    asked = "".join(f"{index}/{path}\0" for index, (_, path) in enumerate(cases))
    run = subprocess.run(
        ["git", "-C", str(root), "check-ignore", "--no-index", "--stdin", "-z"],
        input=asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in (0, 1), run.stderr
    return {int(line.split("/", 1)[0]) for line in run.stdout.split("\0") if line}


def sample(count: int) -> list[tuple[str, str]]:
    """Random patterns with wildcards and random paths."""
    rng = random.Random(20261123)
    pieces = ["a", "b", "-", "*", "?", "[ab]", "[!a]", "[^b]", "[a-c]", "[[:alpha:]]", "[]a]", ".py"]
    cases: list[tuple[str, str]] = []
    while len(cases) < count:
        parts = [
            "**" if rng.random() < 0.25 else "".join(rng.choices(pieces, k=rng.randint(1, 3)))
            for _ in range(rng.randint(1, 4))
        ]
        text = rng.choice(["", "", "/"]) + "/".join(parts) + rng.choice(["", "", "", "/"])
        path = "/".join("".join(rng.choices("ab-c.", k=rng.randint(1, 3))) for _ in range(rng.randint(1, 4)))
        dots = {".", ".."} & {*text.split("/"), *path.split("/")}  # these are no names
        if set("*?[") & set(text) and not dots:
            cases.append((text, path))
    return cases


def test_it_agrees_with_git(tmp_path: Path) -> None:
    table = [
        case
        for case in COVERED + NOT_COVERED
        if set("*?[") & set(case[0])
        and "[" not in case[1]
        and not case[0].startswith("#")
        and "[z-a]" not in case[0]
    ]
    # Three differences on purpose. Git takes the `z` of a reversed range such as `[z-a]` for itself; here
    # the brackets are plain text then. Git ignores everything below what `dir/*` matches; here it is direct
    # children only. A closing `**/` is the directories below for git; here it is the same as `**`.
    cases = [
        (text, path)
        for text, path in table + sample(800)
        if not text.endswith("**/") and (text == "/*" or not text.endswith("/*"))
    ]
    ignored = ignored_by_git(tmp_path, cases)
    assert len(ignored) > 100
    differ = [
        case for index, case in enumerate(cases) if matches(parse(case[0]), case[1]) != (index in ignored)
    ]
    assert differ == []
