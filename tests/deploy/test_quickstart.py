"""Every command of docs/quickstart.md, run in order in one shell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.system.service import COORD, clean_environ, free_port, git

QUICKSTART = Path(__file__).parents[2] / "docs" / "quickstart.md"


@pytest.mark.system
def test_every_command_of_the_quick_start_works(tmp_path: Path) -> None:
    port = free_port()
    blocks = re.findall(r"^```sh\n(.*?)^```$", QUICKSTART.read_text(), re.MULTILINE | re.DOTALL)
    script = "set -e\n" + "".join(blocks).replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    tree = tmp_path / "app"
    (tree / "src").mkdir(parents=True)
    (tree / "src" / "a.py").write_text("x = 1\n")
    git(tree, "init", "-q")
    git(tree, "remote", "add", "origin", "https://code.example/org/app.git")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "Import")
    environ = clean_environ(HOME=str(tmp_path), COORD_PORT=str(port))
    environ["PATH"] = f"{COORD.parent}:{environ['PATH']}"
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tree,
            env=environ,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    finally:
        subprocess.run([COORD, "stop"], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(blocks) == 5
    assert "blocks edits, blocks commits, blocks pushes" in done.stdout
    assert '"engineer":"bob","pattern":"src/**"' in done.stdout
    assert "bob  src/**" in done.stdout
    assert "Stopped (process" in done.stdout
