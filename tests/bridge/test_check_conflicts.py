"""``check_conflicts`` and ``list_claims``: this repository's verdict, in few bytes."""

from __future__ import annotations

from typing import Any

import pytest

from coordsite.bridge.replies import size

from .fake_service import FakeService


async def test_it_asks_about_its_own_repository(call: Any, fake: FakeService) -> None:
    fake.hold("a.py", repo="org/app")
    fake.hold("b.py", repo="org/other")
    reply = await call("check_conflicts", files=["a.py", "b.py"], engineer="alice")
    assert [row["your_pattern"] for row in reply["conflicts"]] == ["a.py"]
    assert reply["conflicts"][0]["engineer"] == "bob"
    assert reply["conflicts"][0]["minutes_left"] > 0
    assert (reply["has_conflicts"], reply["safe"], reply["safe_to_proceed"]) == (True, False, False)
    [sent] = fake.calls("GET", "/conflicts")
    assert sent.query["repo"] == ["org/app"]
    assert sent.query["session_id"] == ["SA"]
    assert sent.query["pattern"] == ["a.py", "b.py"]


async def test_it_leaves_the_repository_out_when_there_is_none(
    call: Any, fake: FakeService, bridge_settings: dict[str, Any]
) -> None:
    bridge_settings["repo_id"] = None
    fake.hold("a.py", repo=None)
    assert (await call("check_conflicts", files=["a.py"]))["has_conflicts"]
    assert "repo" not in fake.calls("GET", "/conflicts")[0].query


@pytest.mark.parametrize("files", [[f"f{n}.py" for n in range(21)], ["x" * 1000 + str(n) for n in range(5)]])
async def test_it_asks_for_many_files_in_one_batch(call: Any, fake: FakeService, files: list[str]) -> None:
    fake.hold(files[-1], repo="org/app")
    reply = await call("check_conflicts", files=files, engineer="alice")
    assert reply["has_conflicts"]
    [sent] = fake.seen
    assert (sent.method, sent.path) == ("POST", "/conflicts/batch")
    assert sent.body == {"patterns": files, "engineer": "alice", "session_ids": ["SA"], "repo": "org/app"}


async def test_it_says_safe_in_few_bytes(call: Any) -> None:
    reply = await call("check_conflicts", files=["a.py"], engineer="alice")
    assert reply == {"has_conflicts": False, "conflicts": [], "safe_to_proceed": True, "safe": True}


async def test_it_bounds_what_it_shows(call: Any, fake: FakeService) -> None:
    files = [f"src/{'deep/' * 50}{n}.py" for n in range(100)]
    for file in files:
        fake.hold(file, engineer="b" * 150, repo="org/app")
    reply = await call("check_conflicts", files=files, engineer="alice")
    assert reply["conflicts"]
    assert len(reply["conflicts"]) + reply["more_conflicts"] == 100
    assert size(reply) <= 700


async def test_list_claims_shows_this_repository(call: Any, fake: FakeService) -> None:
    fake.hold("theirs.py", repo="org/app")
    fake.hold("elsewhere.py", repo="org/other")
    await call("claim_files", engineer="alice", patterns=["mine.py"])
    reply = await call("list_claims", engineer="alice", module="py")
    rows = {row["pattern"]: row for row in reply["claims"]}
    assert set(rows) == {"theirs.py", "mine.py"}
    assert rows["mine.py"]["mine"] is True
    assert "mine" not in rows["theirs.py"]
    assert all("session_id" not in row for row in rows.values())
    [sent] = fake.calls("GET", "/claims")
    assert sent.query == {
        "active_only": ["true"],
        "session_id": ["SA"],
        "engineer": ["alice"],
        "module": ["py"],
        "repo": ["org/app"],
    }


async def test_list_claims_is_bounded(call: Any, fake: FakeService) -> None:
    for number in range(300):
        fake.hold(f"src/{number}/{'x' * 300}.py", repo="org/app")
    reply = await call("list_claims", active_only=False)
    assert size(reply) <= 3000
    assert len(reply["claims"]) + reply["more"] == reply["count"] == 300
    assert fake.seen[0].query["active_only"] == ["false"]
