"""What extraction may refuse. Callers turn these into a warning; none of them is a fault of the program."""

from __future__ import annotations


class SymbolsError(Exception):
    """Base of the refusals of `extract`; the text is fit to show to a person."""


class GrammarMissing(SymbolsError):
    """The language is known, but its grammar package is not installed or does not load."""

    def __init__(self, language: str, package: str) -> None:
        self.language = language
        self.package = package
        super().__init__(
            f"Symbols of {language} files cannot be read: the package {package} is not available."
        )


class SourceTooLarge(SymbolsError):
    """The file is larger than `MAX_BYTES`; nothing was parsed."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"The file has {size} bytes; symbols are read from files of up to {limit} bytes.")


class SourceTooDeep(SymbolsError):
    """The text is nested, or garbled, beyond what source code is; reading it would take too long."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The file cannot be read as source code: {reason}.")
