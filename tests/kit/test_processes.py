"""`sessions.live`: whose claims a commit or push may carry, with real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coordsite.bridge.marker import started_ns
from coordsite.kit import sessions
from tests.kit.agent import ROOT, Agent
from tests.kit.conftest import Clone


def live(clone: Clone, *lines: str) -> None:
    (clone.path / ".coordination/sessions.live").write_text("".join(f"{line}\n" for line in lines))


def own(agent: Agent, clone: Clone) -> str:
    """What `sessions.own` says to a process of the agent's."""
    program = f"from coordsite.kit import sessions; print(*sessions.own('{clone.path}/.coordination'))"
    import sys

    return agent.run(f'PYTHONPATH="{ROOT}" "{sys.executable}" -c "{program}"').out.strip()


def test_an_agent_carries_its_own_work_only(clone: Clone) -> None:
    with Agent(clone.path) as alice, Agent(clone.path) as bob:
        live(
            clone,
            f"alice-1 {alice.pid} {started_ns(alice.pid)} hook",
            f"bob-1 {bob.pid} {started_ns(bob.pid)} hook",
            f"bridge-of-bob {bob.bridge()} 0",
        )
        assert own(alice, clone) == "alice-1"
        assert own(bob, clone) == "bob-1 bridge-of-bob"
        assert set(sessions.own(str(clone.path / ".coordination"))) == {"alice-1", "bob-1", "bridge-of-bob"}


def test_a_number_that_was_given_to_another_process_counts_for_nothing(clone: Clone) -> None:
    with Agent(clone.path) as alice:
        live(clone, f"old-1 {alice.pid} 1000 hook", f"gone-1 4194000 {started_ns(alice.pid)} hook")
        directory = str(clone.path / ".coordination")
        assert sessions.own(directory) == []
        assert sessions.ended(directory) == ["old-1", "gone-1"]
        assert sessions.prune(directory) == 2
        assert not (clone.path / ".coordination/sessions.live").exists()


def test_registering_twice_writes_one_line(clone: Clone) -> None:
    directory = str(clone.path / ".coordination")
    for session in ("alice-1", "alice-1", "alice-2"):
        sessions.register(directory, session, os.getpid())
    assert [line.session for line in sessions.read(directory)] == ["alice-1", "alice-2"]
    sessions.unregister(directory, "alice-1")
    assert [line.session for line in sessions.read(directory)] == ["alice-2"]


@pytest.mark.parametrize("text", ["", "# only a comment\n\n", "\x00\x00", "one\n", "a b c\n", "a -1 0\n"])
def test_odd_lines_are_skipped(clone: Clone, text: str) -> None:
    path = clone.path / ".coordination/sessions.live"
    path.write_text(text)
    assert sessions.read(str(clone.path / ".coordination")) == []
    assert Path(path).exists()
