"""How long ``coord-hook`` takes: nothing to do, a claim, a command to look into; and the client commands.

``python -m benchmarks.hook [RUNS]`` starts a service of its own and measures whole processes, as editors and
git start them.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.system.service import COORD, Service, clean_environ

HOOK = str(COORD.with_name("coord-hook"))


class Times(NamedTuple):
    """What one case took: wall time of each run, and processor time per run (which a busy machine does not
    change), in milliseconds."""

    wall: list[float]
    cpu: float


def timed(command: list[str], payload: object, cwd: Path, environ: dict[str, str], runs: int) -> Times:
    """The times of whole processes; the first (cold) run is left out."""
    text = json.dumps(payload).encode()
    found = []
    used = 0.0
    for turn in range(runs + 1):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, input=text, cwd=cwd, env=environ, capture_output=True, check=False)
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        if turn:
            found.append(wall * 1000)
            used += (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
    return Times(found, used / runs)


def payload(place: Path, tool: str, event: str = "PreToolUse", **given: str) -> dict[str, object]:
    """A Claude Code payload."""
    return {
        "session_id": "bench",
        "cwd": str(place),
        "hook_event_name": event,
        "tool_name": tool,
        "tool_input": given,
    }


def main() -> None:
    """Print one row a case: median and 95th percentile."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        service = Service(base / "home").start()
        try:
            measure(base, service, runs)
        finally:
            service.stop()


def measure(base: Path, service: Service, runs: int) -> None:
    """All cases in a wired repository and outside of one."""
    place = base / "app"
    place.mkdir()
    environ = clean_environ(
        COORD_HOOK_STATE=folder(base, "state"), PATH=f"{COORD.parent}:{os.environ['PATH']}"
    )
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    init = ["init", "--yes", "--mode", "remote", "--service-url", service.url]
    given = {**environ, "COORD_AUTH_TOKEN": service.token}
    subprocess.run([COORD, *init], cwd=place, env=given, check=True, capture_output=True)
    target = str(place / "a.py")
    hook = [HOOK, "claude"]
    cases = [
        ("python -c pass", [sys.executable, "-c", "pass"], {}),
        ("nothing to do: no repository", hook, payload(base, "Edit", file_path=f"{base}/a.py")),
        ("nothing to do: a tool that does not write", hook, payload(place, "Read", file_path=target)),
        ("nothing to do: a command that reads", hook, payload(place, "Bash", command="ls -l | wc")),
        ("an edit of what is claimed already", hook, payload(place, "Edit", file_path=target)),
        ("a command that writes", hook, payload(place, "Bash", command="echo x > a.py")),
        ("coord claims", [str(COORD), "claims"], {}),
        ("coord status", [str(COORD), "status"], {}),
        ("coord (the list of commands)", [str(COORD)], {}),
    ]
    print(f"{'case':<44}{'median ms':>10}{'p95 ms':>10}{'cpu ms':>10}")
    for name, command, body in cases:
        found = timed(command, body, place, environ, runs)
        p95 = statistics.quantiles(found.wall, n=20)[-1]
        print(f"{name:<44}{statistics.median(found.wall):>10.1f}{p95:>10.1f}{found.cpu:>10.1f}")


def folder(base: Path, name: str) -> str:
    """A directory, made."""
    (base / name).mkdir()
    return str(base / name)


if __name__ == "__main__":
    main()
