"""What parsing and comparing patterns can raise."""

from __future__ import annotations


class PatternError(ValueError):
    """A pattern that is refused.

    ``str()`` is a sentence for people, ``code`` is for programs, ``hint`` says what to write instead.
    """

    def __init__(self, message: str, *, code: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


class TooComplex(Exception):
    """Containment of these patterns cannot be decided within the budget."""


def quoted(text: str) -> str:
    """``text`` in quotes for a message, cut when it is long."""
    return repr(text if len(text) <= 80 else text[:79] + "…")
