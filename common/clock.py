"""The one source of time. Tests replace it with a virtual clock; nothing else calls ``datetime.now``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _source()


@contextmanager
def running(source: Callable[[], datetime]) -> Iterator[None]:
    """Let ``source`` tell the time for the whole process while the block runs (tests, simulations)."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def iso(moment: datetime | None) -> str | None:
    """A moment as the API writes it: UTC, whole seconds (cut, not rounded), ``2026-11-22T13:06:14Z``."""
    return None if moment is None else f"{moment.astimezone(UTC).isoformat()[:19]}Z"
