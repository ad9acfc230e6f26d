"""One finding of ``coord doctor``."""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["ok", "warn", "fail"]
Fix = Literal["", "upgrade", "sessions", "mode"]


class Check(NamedTuple):
    """One thing that was looked at. ``mend`` is one command; ``fix`` what ``--fix`` does about it."""

    level: Level
    name: str
    text: str
    mend: str = ""
    fix: Fix = ""


def ok(name: str, text: str) -> Check:
    """It is as it should be."""
    return Check("ok", name, text)


def warn(name: str, text: str, mend: str = "", fix: Fix = "") -> Check:
    """It works, though not as well as it could."""
    return Check("warn", name, text, mend, fix)


def fail(name: str, text: str, mend: str = "", fix: Fix = "") -> Check:
    """It is broken: agents here are not coordinated as they seem to be."""
    return Check("fail", name, text, mend, fix)
