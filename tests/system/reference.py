"""The reference, release 0.27.1, in a virtual environment of its own: made once, kept below ``build/``."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import venv
from pathlib import Path

VERSION = "0.27.1"
HOME = Path(__file__).parents[2] / "build" / f"reference-{VERSION}"
REQUIREMENTS = [f"coord-mcp-server=={VERSION}", "mcp<2", "packaging"]


def reference() -> Path:
    """The environment's ``bin`` directory. The first of several processes makes it, the others wait."""
    HOME.parent.mkdir(exist_ok=True)
    with HOME.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (HOME / "installed").exists():
            venv.create(HOME, clear=True, with_pip=True)
            command = [HOME / "bin" / "python", "-m", "pip", "install", "--quiet", *REQUIREMENTS]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            assert made.returncode == 0, made.stderr
            (HOME / "installed").touch()
    return HOME / "bin"


if __name__ == "__main__":
    sys.stdout.write(f"{reference()}\n")
