"""``coord status``, ``claims``, ``release``, and what the command says of itself, against a real service."""

from __future__ import annotations

import json
import subprocess

import pytest

from .service import COORD, clean_environ, coord, free_port


@pytest.fixture
def run(service, tmp_path):
    """Run ``coord`` in an empty directory as a client of the service."""

    def run_(*arguments: str, **variables: str):
        return coord(*arguments, cwd=tmp_path, **service.client_variables(**variables))

    return run_


@pytest.fixture
def claim_id(http, request) -> str:
    body = {
        "engineer": "alice",
        "repo": f"org/{request.node.name.split('[')[0]}".replace("_", "-"),
        "claims": [{"type": "file", "pattern": "src/**"}],
    }
    answer = http.post("/claims", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["claim_ids"][0]


def test_status_tells_of_a_service_that_is_ready(run, service, claim_id, http):
    done = run("status")
    assert done.returncode == 0, done.stderr
    count = http.get("/claims").json()["count"]
    version = http.get("/meta").json()["version"]
    assert done.stdout.splitlines()[:3] == [
        f"service        {service.url} (ready)",
        f"version        {version}, knows a checkout: no",
        f"active claims  {count}",
    ]


def test_status_tells_of_a_service_that_is_not_there(tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    done = coord("status", cwd=tmp_path, COORD_API_URL=url)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"coord: {url} does not answer")
    assert line.endswith(f"`coord start --port {url.rpartition(':')[2]}` starts it")


def test_claims_lists_who_holds_what(run, claim_id):
    done = run("claims", "--engineer", "alice")
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if claim_id in line]
    assert line.startswith(f"{claim_id}  alice  src/**  expires=20")
    assert run("claims", "--engineer", "nobody").stdout == "No active claims.\n"


def test_claims_as_json_is_the_apis_rows(run, claim_id, http):
    rows = json.loads(run("claims", "--json").stdout)
    assert rows["count"] == len(rows["claims"])
    assert (
        next(row for row in rows["claims"] if row["id"] == claim_id) == http.get(f"/claims/{claim_id}").json()
    )


def test_release_gives_up_a_claim_of_its_engineer(run, claim_id, http):
    refused = run("release", claim_id, "--engineer", "bob")
    assert refused.returncode == 1
    assert refused.stderr == f"coord: Nothing released: {claim_id} is no live claim of bob\n"
    done = run("release", claim_id, COORD_USER="alice")
    assert (done.returncode, done.stdout) == (0, f"Released: {claim_id}\n")
    assert http.get(f"/claims/{claim_id}").json()["end_reason"] == "released"
    assert run("release", claim_id, "--engineer", "alice").returncode == 1
    assert claim_id in run("claims", "--all").stdout


def test_release_wants_to_know_whose(run, claim_id):
    done = run("release", claim_id)
    assert (done.returncode, done.stderr) == (1, "coord: Name the claim's engineer: --engineer NAME\n")


def test_a_wrong_token_is_one_line(run, service):
    done = run("claims", COORD_AUTH_TOKEN="wrong")
    assert done.returncode == 1
    assert done.stderr == (
        f"coord: {service.url}: Invalid bearer token; set COORD_AUTH_TOKEN to the service's token\n"
    )


def test_the_commands_are_listed_and_a_misspelt_one_is_guessed(run):
    listed = run("help")
    assert listed.returncode == 0
    for name in ("start", "stop", "status", "demo", "claims", "release", "init", "migrate", "configdocs"):
        assert f"\n  {name} " in listed.stdout
    assert run().returncode == 2
    wrong = run("strat")
    assert wrong.returncode == 2
    assert wrong.stderr == "coord: no such command: strat; did you mean `coord start`?\n"
    assert run("claims", "--help").stdout.startswith("usage: coord claims")
    assert run("help", "claims").stdout == run("claims", "--help").stdout


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    done = subprocess.run(
        ["bash", "-c", f"{COORD} help | head -1; exit ${{PIPESTATUS[0]}}"],
        env=clean_environ(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 141)
    assert done.stderr == ""
