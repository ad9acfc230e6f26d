"""What a caller must hear but did not ask for; said once, with the next reply of any tool."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

_REMEMBERED = 1000
_MAX_CHARS = 300


class Notices:
    """Texts waiting to be told. The same key is told once; memory is bounded."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, None] = OrderedDict()
        self._waiting: list[str] = []

    def add(self, key: str, text: str) -> None:
        """Queue a text unless its key is known."""
        if self.note(key) and len(self._waiting) < 100:
            self._waiting.append(text)

    def note(self, key: str) -> bool:
        """Mark a key as told; ``False`` when it was already."""
        if key in self._told:
            return False
        self._told[key] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return True

    def take(self) -> str | None:
        """Everything that waits, as one bounded text; ``None`` when there is nothing."""
        if not self._waiting:
            return None
        text, used = self._waiting[0][:_MAX_CHARS], 1
        for more in self._waiting[1:]:
            if len(text) + 1 + len(more) > _MAX_CHARS:
                break
            text, used = f"{text} {more}", used + 1
        self._waiting = self._waiting[used:]
        return text


def lease_key(row: Mapping[str, Any]) -> str:
    """What identifies a lost lease, in the inbox and in the heartbeat's answer alike."""
    return f"lost {row.get('claim_id') or row.get('id') or row.get('pattern')}"


def lease_text(row: Mapping[str, Any]) -> str:
    """One sentence on a lost lease for the one who held it."""
    pattern = str(row.get("pattern") or row.get("claim_id") or "a claim")[:120]
    why = str(row.get("reason") or "ended")[:40]
    holder = row.get("held_now_by")
    now = f"; {str(holder)[:60]} holds it now" if holder else ""
    return f"Lease lost: {pattern} ({why}){now}. Claim it again before you edit it."
