"""Durations as people write them: ``90m``, ``24h``, ``30d``, ``12w``."""

from __future__ import annotations

import re
from datetime import timedelta

MOST = timedelta(days=3650)
_TEXT = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
WORDS = "a whole number and m, h, d or w, such as 90m, 24h, 30d or 12w; ten years at most"


class BadDuration(ValueError):
    """The text is no duration; the message says what is."""


def parse_duration(text: str, *, zero: bool = False) -> timedelta:
    """The duration that a text says. ``zero`` allows none. Raises :class:`BadDuration`."""
    found = _TEXT.fullmatch(text.strip().lower())
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    if length is None or length > MOST or not (length or zero):
        raise BadDuration(f"'{text[:20]}' is not a duration: write {WORDS}")
    return length
