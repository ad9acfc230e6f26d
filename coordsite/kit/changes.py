"""One planned change of a file, and writing a list of them."""

from __future__ import annotations

import os
from typing import Literal, NamedTuple

from coordsite.kit.files import write_atomically

Kind = Literal["created", "updated", "moved", "removed", "unchanged", "refused"]


class Change(NamedTuple):
    """A file before and after (``None``: absent). ``mode`` is its permission bits (``None``: kept);
    ``moved_from`` renames; ``refused`` says why it is left alone; ``secret`` masks tokens when shown."""

    path: str
    before: str | None
    after: str | None
    mode: int | None = None
    moved_from: str = ""
    refused: str = ""
    secret: bool = False

    @property
    def kind(self) -> Kind:
        """What applying the change does."""
        if self.refused:
            return "refused"
        if self.moved_from:
            return "moved"
        if self.before is None and self.after is not None:
            return "created"
        if self.before is not None and self.after is None:
            return "removed"
        same_mode = self.mode is None or _mode(self.path) == self.mode
        return "unchanged" if self.before == self.after and same_mode else "updated"


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode & 0o7777
    except OSError:
        return None


def apply(changes: list[Change]) -> None:
    """Write the changes in order, each atomically. Refused and unchanged ones are left alone."""
    for change in changes:
        if change.kind == "moved":
            os.rename(change.moved_from, change.path)
        elif change.kind == "removed":
            os.unlink(change.path)
        elif change.kind in ("created", "updated") and change.after is not None:
            write_atomically(change.path, change.after, change.mode)
