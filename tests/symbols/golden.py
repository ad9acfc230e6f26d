"""What the golden tables of the languages share."""

from textwrap import dedent

from symbols import extract


def read(source: str, language: str) -> list[str]:
    """Every symbol of `source` as `kind path`, in the order of the file."""
    return [f"{symbol.kind} {symbol.path}" for symbol in extract(dedent(source).encode(), language)]


def lines(source: str, language: str) -> dict[str, tuple[int, int]]:
    """The first and last line of every path; the first line of `source` is 1."""
    symbols = extract(dedent(source).lstrip("\n").encode(), language)
    return {symbol.path: (symbol.start_line, symbol.end_line) for symbol in symbols}
