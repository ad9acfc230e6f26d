"""The page about events names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from webhooks.types import EventType

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


def test_it_has_every_type_and_no_other():
    rows = [line.split("|")[1] for line in PAGE.split("## Types")[1].splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert sorted(named) == sorted(EventType)
