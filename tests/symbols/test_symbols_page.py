"""The page for users says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from symbols import extract, languages

PAGE = (Path(__file__).parents[2] / "docs" / "symbols.md").read_text(encoding="utf-8")
DEFAULT = {"python", "typescript", "tsx", "javascript", "go"}
SHOWN = {"tsx": "TSX", "c_sharp": "C#", "cpp": "C++", "php": "PHP", "typescript": "TypeScript"}


def test_it_names_every_language_in_the_right_column():
    [row] = [line for line in PAGE.splitlines() if line.startswith("| Python (")]
    with_default, with_extra = row.strip("|").split("|")
    for name, status in languages().items():
        column = with_default if name in DEFAULT else with_extra
        shown = SHOWN.get(name) or ("JavaScript" if name == "javascript" else name.capitalize())
        assert re.search(rf"(^|[ ,]){re.escape(shown)}([ ,(]|$)", column), name
        if name in DEFAULT - {"tsx"}:
            assert any(ending in with_default or status.name == "go" for ending in status.extensions)


def test_its_query_is_one():
    [query] = re.findall(r"^```scheme\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    known = (Path(__file__).parents[2] / "symbols" / "queries" / "python.scm").read_text()
    assert all(line in known for line in query.splitlines())


def test_its_example_is_true():
    source = b"class Router:\n    def handle(self): ...\n    def close(self): ...\ndef parse(): ...\n"
    assert {symbol.path for symbol in extract(source, "python")} == {
        "Router",
        "Router::handle",
        "Router::close",
        "parse",
    }
