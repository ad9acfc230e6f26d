"""One golden sample per language: every kind of definition, and below it what is read from it.

`samples/<name>.<extension>` is the source; `samples/<name>.txt` has a line `kind path first-last` per symbol.
"""

from pathlib import Path

import pytest

from symbols import extract, language_of
from symbols.languages import LANGUAGES

SAMPLES = Path(__file__).parent / "samples"
SOURCES = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".txt")
TABLES = {"python", "typescript", "tsx", "javascript", "go"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_it_reads_the_sample(path):
    language = language_of(path.name)
    found = [f"{s.kind} {s.path} {s.start_line}-{s.end_line}" for s in extract(path.read_bytes(), language)]
    assert found == path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()


def test_it_has_a_sample_or_a_table_of_every_language():
    assert {language_of(path.name) for path in SOURCES} | TABLES == set(LANGUAGES)
