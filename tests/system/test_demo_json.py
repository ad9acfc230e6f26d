"""``coord demo --json``: the story for programs. The story itself is played in ``test_demo``."""

from __future__ import annotations

import json
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

from django.core.management import call_command

from coordsite.demo import stage, story


def test_it_is_one_object(monkeypatch):
    async def tell(on, say):
        say("\nalice claims\n  granted")

    monkeypatch.setattr(stage, "plant", lambda place: (Path("/tree"), 3))
    monkeypatch.setattr(stage, "serving", lambda *_: nullcontext(SimpleNamespace(url="http://x")))
    monkeypatch.setattr(story, "tell", tell)
    out = StringIO()
    call_command("demo", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (set(told), told["files"]) == ({"files", "seconds", "story"}, 3)
    assert told["story"][1:] == ["coord serves it at http://x", "alice claims", "  granted"]
