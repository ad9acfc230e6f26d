"""`coord` commands as a person runs them: in a directory, with this checkout's programs on PATH."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from coordsite import cli

ROOT = Path(__file__).parents[2]


class Ran(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Runner:
    """Runs ``coord`` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch = monkeypatch
        self._capsys = capsys

    def __call__(self, place: Path, *arguments: str, stdin: str = "") -> Ran:
        self._capsys.readouterr()
        with self._patch.context() as patch:
            patch.chdir(place)
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            try:
                code = cli.main(list(arguments))
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        read = self._capsys.readouterr()
        return Ran(code, read.out, read.err)


def programs(place: Path) -> Path:
    """A directory with a `coord-hook` and a `coord-mcp` that are this checkout's."""
    folder = place / "bin"
    folder.mkdir(exist_ok=True)
    for name, module in (("coord-hook", "coordsite.kit.hook"), ("coord-mcp", "coordsite.bridge.main")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m {module} "$@"\n')
        script.chmod(0o755)
    return folder
