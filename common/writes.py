"""Waiting for writes to a SQLite database by other processes, without looking where the system tells.

Every commit is written to the database's write-ahead log. Linux tells of that (inotify); elsewhere, and
where it does not, whoever waits looks often.
"""

from __future__ import annotations

import importlib
import os
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

SPACING_S = 0.02
"""The least time between two looks at a database that is being written to, in seconds."""
COMMIT_S = 0.001
"""From the first byte of a commit in the log until readers see it, nearly always, in seconds."""

inotify: Any = None
with suppress(ImportError):  # there is none for other systems
    inotify = importlib.import_module("inotify_simple")


class Writes:
    """Tells when a database file was written to. For one thread, while it has the database open: the log
    lives as long as somebody has.
    """

    def __init__(self, database: str, *, unaided_s: float = SPACING_S) -> None:
        """``unaided_s`` is how often :meth:`wait` returns when the system tells nothing, in seconds."""
        self._log = f"{os.path.realpath(database)}-wal"
        self._unaided_s = unaided_s
        self._told: Any = None
        self._busy = False
        self._follow()

    def wait(self, timeout: float) -> bool:
        """Return soon after a write, at the latest after ``timeout`` seconds: whether a look is worth it.

        After each write it returns at least once more, however long the caller takes between two waits.
        """
        if self._told is None:
            time.sleep(min(self._unaided_s, timeout))
            self._follow()
            return True
        if self._busy:  # the last look may have come before the end of the commit that it came for
            time.sleep(SPACING_S)
            self._busy = self._read(0)
            return True
        if self._read(timeout):
            self._busy = True
            time.sleep(COMMIT_S)
        return self._busy

    def close(self) -> None:
        """Wait no more."""
        if self._told is not None:
            self._told.close()
            self._told = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, timeout: float) -> bool:
        """Whether word of writes came within ``timeout`` seconds. A log that was removed is let go of."""
        words = self._told.read(timeout=round(timeout * 1000))
        if any(word.mask & inotify.flags.IGNORED for word in words):
            self.close()
            self._follow()
        return bool(words)

    def _follow(self) -> None:
        if inotify is None:
            return
        told = None
        try:
            told = inotify.INotify()
            told.add_watch(self._log, inotify.flags.MODIFY)
        except OSError:  # no log there, or too many watches on this machine
            if told is not None:
                told.close()
            return
        self._told = told
