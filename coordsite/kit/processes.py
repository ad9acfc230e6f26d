"""Processes seen from a hook: child of whom, called what. From ``/proc``, else from ``ps``."""

from __future__ import annotations

import os

SHELLS = frozenset(
    [
        "sh",
        "bash",
        "dash",
        "zsh",
        "fish",
        "ksh",
        "busybox",
        "env",
        "timeout",
        "nice",
        "nohup",
        "setsid",
        "stdbuf",
        "sudo",
        "uv",
        "uvx",
        "pipx",
        "mise",
        "direnv",
    ]
)
"""Shells and launchers: they stand between an agent and what it runs, and may end before it does."""
_MAX_DEPTH = 40


def _stat(pid: int) -> tuple[str, list[str]] | None:
    """The command name and the fields after it of ``/proc/<pid>/stat``."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    return name, rest.split()


def _ps(pid: int, field: str) -> str:
    import subprocess

    try:
        done = subprocess.run(
            ["ps", "-o", f"{field}=", "-p", str(pid)], capture_output=True, text=True, timeout=2, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def has_proc() -> bool:
    """Whether the system tells about processes without a further process."""
    return os.path.exists("/proc/self/stat")


def parent_of(pid: int) -> int:
    """The parent's number; 0 when unknown."""
    found = _stat(pid)
    text = found[1][1] if found and len(found[1]) > 1 else ("" if has_proc() else _ps(pid, "ppid"))
    return int(text) if text.isdigit() else 0


def name_of(pid: int) -> str:
    """The process's short command name; empty when unknown."""
    found = _stat(pid)
    return found[0] if found else ("" if has_proc() else os.path.basename(_ps(pid, "comm")))


def ancestors(pid: int | None = None) -> list[int]:
    """The parents of a process (this one by default), nearest first, without process 1."""
    chain: list[int] = []
    here = parent_of(pid) if pid else os.getppid()
    while here > 1 and here not in chain and len(chain) < _MAX_DEPTH:
        chain.append(here)
        here = parent_of(here)
    return chain


def agent_process() -> int:
    """The process that runs this hook: the nearest ancestor that is not a shell."""
    chain = ancestors()
    return next((pid for pid in chain if name_of(pid) not in SHELLS), chain[0] if chain else os.getppid())
