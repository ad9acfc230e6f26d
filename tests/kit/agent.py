"""An agent process as the hooks meet one: it runs shell commands and has MCP bridges as children.

Who started the tests is no part of the answer: the agent is a process of its own, and what it runs are its
descendants.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
HOOK = f'PYTHONPATH="{ROOT}" "{sys.executable}" -m coordsite.kit.hook'

_SCRIPT = """
import json, subprocess, sys
bridges = []
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "bridge":
        bridges.append(subprocess.Popen(asked["command"], stdout=subprocess.PIPE, text=True))
        answer = int(bridges[-1].stdout.readline())
    else:
        done = subprocess.run(asked["command"], shell=True, input=asked["input"], text=True,
                              cwd=asked["cwd"], capture_output=True)
        answer = [done.returncode, done.stdout, done.stderr]
    print(json.dumps(answer), flush=True)
for bridge in bridges:
    bridge.kill()
    bridge.wait()
"""
_BRIDGE = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


class Done(NamedTuple):
    """What a command of the agent answered."""

    code: int
    out: str
    err: str

    @property
    def silent(self) -> bool:
        return self == Done(0, "", "")

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Agent:
    """One agent process. Use it as a context manager."""

    def __init__(self, cwd: Path, environ: dict[str, str] | None = None) -> None:
        self.cwd = cwd
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """The agent and its bridges are gone when this returns."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def bridge(self) -> int:
        """Start a process where the agent would start its MCP server; answers its number."""
        return int(self._ask(do="bridge", command=[sys.executable, "-c", _BRIDGE]))

    def run(self, command: str, text: str = "", cwd: Path | None = None) -> Done:
        """Run a shell command, as the agent's shell tool does."""
        return Done(*self._ask(do="run", command=command, input=text, cwd=str(cwd or self.cwd)))

    def fire(self, tool: str, payload: object, wrapper: str = "") -> Done:
        """Run the hook with a payload, as the agent does before and after its tools."""
        command = f"{wrapper} sh -c '{HOOK} {tool}'" if wrapper else f"{HOOK} {tool}"
        return self.run(command, json.dumps(payload))

    def _ask(self, **asked: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())
