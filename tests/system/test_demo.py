"""``coord demo``: the whole story, and nothing left behind."""

from __future__ import annotations

import re

from .service import coord


def test_it_tells_the_story_and_leaves_nothing(tmp_path):
    done = coord("demo", cwd=tmp_path, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout
    files = re.search(r"^A repository with (\d+) files is at ", told)
    assert int(files[1]) > 2000
    for sentence in (
        "alice (MCP) claims django/contrib/admin/**\n  granted until ",
        "bob (MCP) claims django/contrib/admin/options.py\n  refused: alice holds django/contrib/admin/**",
        "  409: all or nothing",
        "alice extends her lease",
        "  bob has it ",
        "  refused: bob holds django/contrib/admin/options.py now",
        "carol sees that what their sessions held is released.",
    ):
        assert sentence in told
    fences = [int(found) for found in re.findall(r"with fence (\d+)", told)]
    assert fences == sorted(set(fences))
    assert len(fences) == 3
    assert [path.name for path in tmp_path.iterdir()] == []
    assert "Traceback" not in done.stderr
