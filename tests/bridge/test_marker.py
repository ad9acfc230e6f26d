"""``sessions.live``: one line per process, taken out again, whatever else happens to the file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from coordsite.bridge.marker import Marker, started_ns

from .test_environment import git, repository

__all__ = ["repository"]


@pytest.fixture
def clone(repository: Path) -> Path:
    (repository / ".coordination").mkdir()
    return repository


def live(clone: Path) -> Path:
    return clone / ".coordination" / "sessions.live"


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_writes_session_pid_and_start(clone: Path) -> None:
    Marker(str(clone), "SA").enter()
    assert live(clone).read_text() == f"SA {os.getpid()} {started_ns(os.getpid())}\n"
    assert started_ns(os.getpid()) > 1_500_000_000 * 10**9


def test_it_removes_the_file_with_the_last_line(clone: Path) -> None:
    marker = Marker(str(clone), "SA")
    marker.enter()
    marker.leave()
    assert not live(clone).exists()


def test_it_keeps_the_lines_of_others_and_drops_those_of_the_dead(clone: Path) -> None:
    other = f"SB {os.getppid()} 0\n"
    live(clone).write_text(f"# who works here\n\n{other}SC {dead_pid()} 0\nbroken\n")
    marker = Marker(str(clone), "SA")
    marker.enter()
    marker.leave()
    assert live(clone).read_text() == f"# who works here\n\n{other}"


def test_a_linked_work_tree_uses_the_main_ones_file(clone: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", str(linked), cwd=clone)
    (linked / "src").mkdir()
    Marker(str(linked / "src"), "SA").enter()
    assert live(clone).read_text().startswith("SA ")
    assert not (linked / ".coordination").exists()


def test_it_writes_nothing_outside_a_wired_clone(repository: Path, tmp_path: Path) -> None:
    for place in (repository, tmp_path):
        marker = Marker(str(place), "SA")
        marker.enter()
        marker.leave()
        assert marker.path is None
    assert not (repository / ".coordination").exists()


def test_a_file_that_cannot_be_written_is_no_failure(clone: Path) -> None:
    live(clone).mkdir()
    marker = Marker(str(clone), "SA")
    marker.enter()
    marker.leave()
    assert live(clone).is_dir()


def test_writers_at_once_lose_no_line(clone: Path) -> None:
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(10):
            Marker(str(clone), f"S{number}-{turn}", pid=os.getpid()).enter()
            gone = Marker(str(clone), "gone", pid=2**22 + number)
            gone.enter()
            gone.leave()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = live(clone).read_text().splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(
        f"S{n}-{t}" for n in range(8) for t in range(10)
    )
