"""The filter as the address says it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from common.filters import Filter

NO_REPOSITORY = "(none)"
"""How the address names the repository that has no id."""
MOST = 200


def read(query: Mapping[str, str]) -> Filter:
    """The filter of ``repo``, ``engineer`` and ``q``; anything longer than a name can be is cut."""
    repo = query.get("repo", "").strip()[:MOST]
    return Filter(
        repo=None if not repo else "" if repo == NO_REPOSITORY else repo,
        engineer=query.get("engineer", "").strip()[:MOST],
        text=query.get("q", "").strip()[:MOST],
    )


def write(seen: Filter) -> str:
    """The query string of a filter, without ``?``; empty for no filter."""
    named = {
        "repo": NO_REPOSITORY if seen.repo == "" else seen.repo or "",
        "engineer": seen.engineer,
        "q": seen.text,
    }
    return urlencode({name: value for name, value in named.items() if value})
