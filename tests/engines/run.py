"""Every test on every engine: ``python -m tests.engines.run [sqlite] [postgres] [redis] [pytest options]``.

Brings its own servers, or uses those of ``COORD_TEST_DATABASE_URL`` and ``COORD_TEST_REDIS_URL``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from tests.engines.plugin import DATABASE, REDIS
from tests.engines.servers import Postgres, Valkey

WAKEUPS = ["tests/common", "tests/queueing", "tests/webhooks", "tests/claims/test_line.py"]
"""What a channel layer can change."""
RUNS = ("sqlite", "postgres", "redis")
WORKERS = 2 * min(os.cpu_count() or 2, 4)
"""More than cores: half of what a test does is to wait for a process that it started."""
PYTEST = [sys.executable, "-m", "pytest", "-n", str(WORKERS), "--dist", "worksteal"]


def main(arguments: list[str]) -> int:
    """Run; the first exit code that is not 0, after all runs."""
    wanted = [name for name in RUNS if name in arguments] or list(RUNS)
    options = [argument for argument in arguments if argument not in RUNS]
    given = {name: os.environ.pop(name, "") for name in (DATABASE, REDIS)}
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes share what one has compiled
    codes = []
    with contextlib.ExitStack() as servers:
        for name in wanted:
            if name != "sqlite" and not given[DATABASE]:
                given[DATABASE] = servers.enter_context(Postgres()).create("coord")
            if name == "redis" and not given[REDIS]:
                given[REDIS] = servers.enter_context(Valkey()).url
            environment = {
                "sqlite": {},
                "postgres": {DATABASE: given[DATABASE]},
                "redis": given,
            }[name]
            print(f"\n== {name} ==", flush=True)
            chosen = any(option.startswith("tests") for option in options)
            paths = WAKEUPS if name == "redis" and not chosen else []
            command = [*PYTEST, *options, *paths]
            codes.append(subprocess.run(command, env={**os.environ, **environment}, check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
