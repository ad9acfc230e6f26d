"""What a reader of an overview wants to see: one repository, one engineer, a text. All optional."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q


@dataclass(frozen=True, slots=True)
class Filter:
    """``repo`` ``None`` is every repository, ``""`` the one without an id. Empty texts are no filter."""

    repo: str | None = None
    engineer: str = ""
    text: str = ""

    def on(self, *, repo: str, engineers: tuple[str, ...], texts: tuple[str, ...]) -> Q:
        """The condition on rows with these fields: any of the engineers, the text in any of the texts."""
        wanted = Q() if self.repo is None else Q(**{repo: self.repo})
        if self.engineer:
            wanted &= _any(engineers, "", self.engineer)
        if self.text:
            wanted &= _any((*texts, *engineers), "__icontains", self.text)
        return wanted

    def shows(self, *, repo: str, engineers: tuple[str, ...] = (), texts: tuple[str, ...] = ()) -> bool:
        """The same for a row in memory, by its values."""
        if self.repo is not None and repo != self.repo:
            return False
        if self.engineer and engineers and self.engineer not in engineers:
            return False
        sought = self.text.lower()
        return not sought or any(sought in text.lower() for text in (*texts, *engineers))


def _any(fields: tuple[str, ...], lookup: str, value: str) -> Q:
    wanted = Q()
    for field in fields:
        wanted |= Q(**{f"{field}{lookup}": value})
    return wanted
