"""No verdict: the repository's policy decides, and it is said once a session."""

from __future__ import annotations

import pytest

from tests.kit.conftest import Clone, Fire, claude, edit, shell
from tests.kit.service import FakeService

AWAY = "http://127.0.0.1:9"


def test_it_warns_once_and_lets_the_edit_pass(clone: Clone, fire: Fire) -> None:
    clone.initialise(AWAY)
    first = fire("claude", edit(clone, "a.py", call="1"))
    assert first.code == 0
    note = first.json["hookSpecificOutput"]["additionalContext"]
    assert note.startswith("coord is OFF: http://127.0.0.1:9 does not answer (")
    assert note.endswith("Next: run `coord doctor`.")
    assert first.json["systemMessage"] == note
    assert fire("claude", edit(clone, "b.py", call="2")).silent
    assert fire("claude", shell(clone, "rm c.py", call="3")).silent
    assert fire("claude", edit(clone, "a.py", call="4", session="bob-1")).out != ""


def test_it_says_at_the_start_that_it_is_off(clone: Clone, fire: Fire) -> None:
    clone.initialise(AWAY)
    done = fire("claude", claude(clone, "SessionStart", source="startup"))
    assert "coord is OFF" in done.json["hookSpecificOutput"]["additionalContext"]
    assert fire("claude", edit(clone, "a.py")).silent


def test_it_blocks_where_the_repository_wants_a_verdict(clone: Clone, fire: Fire) -> None:
    clone.initialise(AWAY, policy="block")
    for call in ("1", "2"):
        done = fire("claude", edit(clone, "a.py", call=call))
        assert (done.code, done.out) == (2, "")
        assert "this repository wants a verdict (on_unreachable = block)" in done.err
    assert fire("claude", shell(clone, "cat a.py", call="3")).silent, "reading needs no verdict"


def test_it_is_silent_where_the_policy_is_off(clone: Clone, fire: Fire) -> None:
    clone.initialise(AWAY, policy="off")
    assert fire("claude", claude(clone, "SessionStart", source="startup")).silent
    assert fire("claude", edit(clone, "a.py")).silent


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ((401, {"detail": "Invalid bearer token"}), "the service refuses the token (Invalid bearer token)"),
        ((503, {"detail": "The database is away"}), "the service answers 503: The database is away"),
        ((500, {}), "the service answers 500: HTTP 500"),
        ((200, {"unexpected": 1}), ""),
    ],
)
def test_it_treats_an_answer_that_is_no_verdict_alike(
    clone: Clone, service: FakeService, fire: Fire, failure: tuple[int, dict], words: str
) -> None:
    service.failure = failure
    done = fire("claude", edit(clone, "a.py"))
    assert done.code == 0
    assert words in done.out
    clone.initialise(service.url, policy="block")
    assert fire("claude", edit(clone, "a.py", call="2")).code == (2 if words else 0)


def test_it_blocks_what_is_held_whatever_the_policy(clone: Clone, service: FakeService, fire: Fire) -> None:
    service.hold("a.py", "bob", "bob-1")
    for call, policy in enumerate(("warn", "block", "off")):
        clone.initialise(service.url, policy=policy)
        assert fire("claude", edit(clone, "a.py", call=str(call))).code == 2


def test_it_recovers_when_the_service_is_back(clone: Clone, service: FakeService, fire: Fire) -> None:
    clone.initialise(AWAY)
    fire("claude", edit(clone, "a.py", call="1"))
    clone.initialise(service.url)
    assert fire("claude", edit(clone, "a.py", call="2")).silent
    assert service.held("alice-1") == ["a.py"]


def test_it_works_without_a_place_to_remember(
    clone: Clone, service: FakeService, fire: Fire, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """A directory that others could write is not trusted; the hook still claims and blocks."""
    shared = tmp_path / "shared"
    shared.mkdir()
    import os

    (shared / f"coord-hook-{os.getuid()}").symlink_to(tmp_path)
    monkeypatch.setenv("COORD_HOOK_STATE", str(shared))
    service.hold("b.py", "bob", "bob-1")
    assert fire("claude", edit(clone, "a.py", call="1")).silent
    assert fire("claude", edit(clone, "b.py", call="2")).code == 2
    assert service.held("alice-1") == ["a.py"]
    assert not list(tmp_path.glob("*.json"))
