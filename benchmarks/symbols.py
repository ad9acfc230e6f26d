"""Speed of the symbol extractor, and of symbol claims in one hot file: ``python -m benchmarks.symbols``.

Extraction: megabytes of source per second of one core, over whole libraries (Python's standard library, and
those that ``make sources`` fetches). Claims: 200 engineers claim disjoint symbols of one file on an SQLite
file; processor time per claim, early, at 50 engineers and at 200, tells whether it grows.
"""

from __future__ import annotations

import os
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import tree_sitter

from symbols import SymbolsError, extract, grammars, guards
from symbols.languages import LANGUAGES
from tests.symbols import packages

ENGINEERS = 200
ROUNDS = 3


def standard_library() -> Iterator[tuple[str, bytes]]:
    """The modules of Python's standard library, without its tests."""
    root = Path(sysconfig.get_path("stdlib"))
    outside = {"site-packages", "dist-packages", "__pycache__", "test", "tests", "lib2to3"}
    for path in sorted(root.rglob("*.py")):
        if not outside & set(path.parts):
            yield path.name, path.read_bytes()


def throughput(language: str, files: Iterable[tuple[str, bytes]]) -> None:
    """Print the best rate of some rounds: the machine is shared, the code is not slower than its best.

    Beside it, that of tree-sitter alone (parsing and letting go of the tree), which bounds it.
    """
    sources = [content for _, content in files if len(content) <= guards.MAX_BYTES]
    size = sum(map(len, sources)) / 1e6
    parse = tree_sitter.Parser(grammars.load(LANGUAGES[language]).language).parse
    whole, parsing, symbols = float("inf"), float("inf"), 0
    for _ in range(ROUNDS):
        symbols, start = 0, time.process_time()
        for source in sources:
            try:
                symbols += len(extract(source, language))
            except SymbolsError:
                continue
        whole = min(whole, time.process_time() - start)
        start = time.process_time()
        for source in sources:
            parse(source)
        parsing = min(parsing, time.process_time() - start)
    print(
        f"{language:<12}{len(sources):>6} files {size:>7.2f} MB {symbols:>8} symbols"
        f"{size / whole:>8.2f} MB/s {size / parsing:>8.2f} MB/s parsing alone"
    )


def claims() -> None:
    """Print milliseconds per claim while more and more engineers work in one file."""
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "coordsite.settings",
            "COORD_DATABASE_PATH": str(Path(place, "coord.db")),
            "COORD_LOG_LEVEL": "error",
        }
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        _claim_all()


def _claim_all() -> None:
    from claims.parties import Party
    from claims.scopes import ClaimRequest, read_items
    from claims.services.claiming import claim_scopes
    from common.caller import SYSTEM

    times = []
    for number in range(ENGINEERS):
        raw = [{"type": "file", "pattern": "src/hot.py", "symbols": [f"function_{number}"]}]
        start = time.process_time()
        items = read_items(raw, case_insensitive=False)
        party = Party(f"agent-{number}", f"session-{number}")
        outcome = claim_scopes(ClaimRequest("org/app", party, items), SYSTEM)
        times.append((time.process_time() - start) * 1000)
        assert outcome.granted
    for end in (11, 50, ENGINEERS):
        median = statistics.median(times[end - 10 : end])
        print(f"claims {end - 9:>3} to {end:>3} in one file: {median:.2f} ms each")


def main() -> None:
    """Run everything."""
    packages.fetch()
    throughput("python", standard_library())
    throughput("typescript", packages.TYPESCRIPT.sources("src/", ".ts"))
    throughput("javascript", packages.JAVASCRIPT.sources("", ".js"))
    throughput("go", packages.GO.sources("", ".go"))
    claims()


if __name__ == "__main__":
    main()
