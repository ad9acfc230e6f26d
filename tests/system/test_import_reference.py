"""From a running reference to a running service of ours: its agents go on with their claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .reference import fill, reference, running
from .service import Service, coord

# Making the environment once takes as long as the package index does.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long(20)]


def test_agents_go_on_with_the_claims_they_had(start_service: Any, tmp_path: Path) -> None:
    reference()
    database = tmp_path / "reference.db"
    with running(database) as there:
        fill(there)
        before = there.get("/claims").json()["claims"]
    service: Service = start_service()
    environ = {"COORD_DATABASE_PATH": str(service.database), "COORD_AUTH_TOKEN": service.token}
    tried = coord("import-reference", str(database), "--dry-run", "--json", **environ)
    done = coord("import-reference", str(database), "--json", **environ)
    again = coord("import-reference", str(database), "--json", **environ)
    assert [run.returncode for run in (tried, done, again)] == [0, 0, 0], done.stderr
    report = json.loads(done.stdout)
    assert json.loads(tried.stdout)["imported"] == report["imported"]
    assert json.loads(again.stdout)["known"] == report["imported"]
    assert report["imported"]["claim"] == 9
    with service.client() as here:
        after = here.get("/claims").json()["claims"]
        same = ("id", "engineer", "pattern", "repo", "session_id", "branch", "description", "claim_type")
        left = {one["id"] for one in report["skipped"] if one["kind"] == "claim"}
        assert {tuple(row[name] for name in same) for row in after} == {
            tuple(row[name] for name in same) for row in before if row["id"] not in left
        }
        tools = next(row["id"] for row in after if row["pattern"] == "tools/**")
        assert here.post(f"/claims/{tools}/extend", json={"engineer": "alice"}).json()["ok"] is True
        ended = here.post("/claims/release", json={"claim_ids": [tools], "engineer": "alice"})
        assert ended.json() == {"released": 1}
