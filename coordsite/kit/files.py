"""Writing files so that a crash leaves the old content or the new, never half of it."""

from __future__ import annotations

import os


def write_atomically(path: str, text: str, mode: int | None = None) -> None:
    """Replace ``path`` by ``text``: temporary file beside it, flushed, renamed over it.

    A symbolic link is followed, so that the file it names is replaced and the link stays. ``mode`` is set
    before the content becomes visible; ``None`` keeps the old file's mode (0644 for a new file).
    """
    import tempfile

    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    os.makedirs(directory, exist_ok=True)
    if mode is None:
        try:
            mode = os.stat(target).st_mode & 0o7777
        except OSError:
            mode = 0o644
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{os.path.basename(target)}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def read_text(path: str) -> str | None:
    """The file's text, line endings untouched; ``None`` when there is none. Undecodable: ``ValueError``."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
