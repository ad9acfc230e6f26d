"""What reads texts from strangers: it answers with a result or its own refusal, in bounded time."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ownership import documents
from patterns import PatternError, overlaps, parse, witness
from symbols import SymbolsError, extract, languages, parse_symbol_path
from tests.fuzz import hostile

LONGEST_S = 8.0
"""An input that takes more processor time is a finding, in seconds; symbols give up at 5."""


class TooSlow(AssertionError):
    """A parser did not come back in time."""


@contextmanager
def bounded() -> Iterator[None]:
    """Raise :class:`TooSlow` when the block works longer than :data:`LONGEST_S`. On the main thread."""

    def late(*_: Any) -> None:
        raise TooSlow(f"longer than {LONGEST_S} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def one_pattern(dice: random.Random) -> str:
    """A pattern is refused, or has a canonical form that reads the same again."""
    text = hostile.pattern(dice, 60)
    try:
        pattern = parse(text)
    except PatternError:
        return "refused"
    assert parse(pattern.text).text == pattern.text, text
    return "read"


def two_patterns(dice: random.Random) -> str:
    """The verdict on two patterns does not depend on their order, and a yes has a witness."""
    try:
        one, other = parse(hostile.pattern(dice, 12)), parse(hostile.pattern(dice, 12))
    except PatternError:
        return "refused"
    verdict = overlaps(one, other)
    assert verdict == overlaps(other, one), (one.text, other.text)
    assert (witness(one, other) is not None) == verdict, (one.text, other.text)
    return "overlap" if verdict else "apart"


def ownership_document(dice: random.Random) -> str:
    """A document is refused with a sentence, or read."""
    try:
        documents.parse(hostile.document(dice))
    except documents.InvalidDocument as error:
        return "refused" if str(error) else "refused without a word"
    return "read"


def symbol_path(dice: random.Random) -> str:
    """A symbol path is refused, or read."""
    try:
        parse_symbol_path(hostile.text(dice, 40, hostile.CODE + hostile.FOREIGN))
    except (SymbolsError, ValueError):
        return "refused"
    return "read"


def source_file(dice: random.Random) -> str:
    """Source of any language yields symbols, or a refusal of the module's own."""
    language = dice.choice(sorted(languages()))
    try:
        found = extract(hostile.source(dice), language)
    except SymbolsError:
        return "refused"
    return "read" if found else "nothing in it"


PARSERS: dict[str, Callable[[random.Random], str]] = {
    probe.__name__: probe
    for probe in (one_pattern, two_patterns, ownership_document, symbol_path, source_file)
}


def fuzz(name: str, count: int, seed: int) -> Counter[str]:
    """Feed a parser; how often each thing came of it. Raises with the seed that shows what was wrong."""
    results: Counter[str] = Counter()
    for number in range(count):
        try:
            with bounded():
                results[PARSERS[name](random.Random(f"{name}/{seed}/{number}"))] += 1
        except Exception as error:
            raise AssertionError(f"{name}, seed {seed}, input {number}: {error!r}") from error
    return results
