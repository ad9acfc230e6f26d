"""``coord start``: what it prints, honours, refuses, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coordsite.home import Home
from coordsite.instance import hold

from .service import COORD, Service, clean_environ, coord, free_port, tls, wait_for


def group_of(service: Service) -> list[int]:
    """The service's processes, children and their children included."""
    found, todo = [], [service.process.pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        try:
            todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except FileNotFoundError:
            continue
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service on its first run: nothing was there."""
    running = Service(tmp_path_factory.mktemp("first") / "home").start()
    yield running
    running.stop()


def link_of(service: Service) -> str:
    """The address at which the first operator signs in, as the service printed it."""
    (line,) = [line for line in service.output().splitlines() if line.startswith("Sign in ")]
    return line.split()[2]


def test_it_says_where_it_is_and_what_to_try(first):
    service, said = first, first.output()
    assert f"API        {service.url}\n" in said
    assert f"Dashboard  {service.url}/admin/\n" in said
    assert f"  export COORD_API_URL={service.url}\n" in said
    assert f"  export COORD_AUTH_TOKEN={service.token}\n" in said
    command = next(line.strip() for line in said.splitlines() if line.startswith("  curl "))
    run = subprocess.run(
        ["bash", "-c", f"export COORD_AUTH_TOKEN={service.token}; {command} -s"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout)["claims"][0]["pattern"] == "README.md"


def test_its_state_is_its_owners_alone_and_stays(start_service):
    service = start_service(fresh=True)
    for name in ("token", "secret_key"):
        assert (service.home / name).stat().st_mode & 0o077 == 0, name
    assert service.home.stat().st_mode & 0o077 == 0
    assert service.database.is_file()
    running = json.loads((service.home / "coord.pid").read_text())
    assert (running["pid"], running["marker"]) == (service.process.pid, "coord start")
    token = service.token
    with service.client() as client:
        kept = {"engineer": "alice", "claims": [{"type": "file", "pattern": "kept.py"}]}
        assert client.post("/claims", json=kept).status_code == 200
        assert client.get(link_of(service)).status_code == 302
    assert service.stop() == 0
    assert not (service.home / "coord.pid").exists()
    service.log.unlink()
    again = start_service()
    assert again.token == token
    with again.client() as client:
        assert [row["pattern"] for row in client.get("/claims").json()["claims"]] == ["kept.py"]
    assert "Sign in " not in again.output(), "somebody has signed in"


def test_two_run_side_by_side(start_service, first):
    one, other = start_service("one"), first
    with one.client() as here, other.client() as there:
        body = {"engineer": "alice", "claims": [{"type": "file", "pattern": "beside.py"}]}
        assert here.post("/claims", json=body).status_code == 200
        assert "beside.py" not in there.get("/claims").text
    with one.client(token=other.token) as stranger:
        assert stranger.get("/claims").status_code == 401


def test_it_honours_the_environment(start_service, tmp_path):
    database = tmp_path / "elsewhere" / "x.db"
    service = start_service(
        COORD_AUTH_TOKEN="chosen",
        COORD_DATABASE_PATH=str(database),
        COORD_REPO_ROOT=str(tmp_path),
        COORD_DEFAULT_TTL_HOURS="0.5",
        COORD_LOG_JSON="true",
    )
    assert database.is_file()
    assert not (service.home / "token").exists()
    with service.client() as client:
        assert client.get("/meta").json()["repo_root_configured"] is True
        claim = {"engineer": "alice", "claims": [{"type": "file", "pattern": "a.py"}]}
        made = client.post("/claims", json=claim, headers={"X-Request-ID": "r-1"}).json()
        row = client.get(f"/claims/{made['claim_ids'][0]}").json()
    assert row["created_at"][14:16] != row["expires_at"][14:16]
    lines = [json.loads(line) for line in service.output().splitlines() if line.startswith("{")]
    access = next(line for line in lines if line.get("request_id") == "r-1")
    assert (access["method"], access["path"], access["status"]) == ("POST", "/claims", 200)


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = coord("start", COORD_HOME=str(tmp_path / "home"), COORD_PORT=port)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"coord: cannot listen on 127.0.0.1 port {port}: ")


def test_a_second_start_on_the_same_home_or_database_is_one_line(service, tmp_path):
    done = coord("start", COORD_HOME=str(service.home), COORD_PORT=str(free_port()))
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line == (
        f"coord: A service runs on {service.home} already (process {service.process.pid});"
        " stop it first, or use another place"
    )
    done = coord(
        "start",
        COORD_HOME=str(tmp_path / "other"),
        COORD_PORT=str(free_port()),
        COORD_DATABASE_PATH=str(service.database),
    )
    assert done.returncode == 3
    (line,) = done.stderr.strip().splitlines()
    holder = service.web_process()
    assert line.startswith(f"coord: Another coord serves {service.database} (process {holder})")


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({"COORD_PORT": "eighty"}, 1, "COORD_PORT='eighty': allowed: whole number from 1 to 65535"),
        (
            {"COORD_ALLOW_INSECURE_NO_AUTH": "1", "COORD_REQUIRE_PER_ENGINEER_TOKEN": "1"},
            1,
            "COORD_ALLOW_INSECURE_NO_AUTH=true contradicts COORD_REQUIRE_PER_ENGINEER_TOKEN=true;"
            " allowed: one of them",
        ),
        (
            {"COORD_DATABASE_URL": "postgres://u:hidden@127.0.0.1:1/x"},
            1,
            "COORD_DATABASE_URL: the database cannot be opened: ",
        ),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path, variables, code, said):
    done = coord("start", **{"COORD_HOME": str(tmp_path / "h"), "COORD_PORT": str(free_port()), **variables})
    assert done.returncode == code
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"coord: {said}")
    assert "hidden" not in line


def test_the_api_alone_wants_to_know_who_may_ask(tmp_path):
    done = subprocess.run(
        [COORD.with_name("coord-api")],
        env=clean_environ(COORD_DATABASE_PATH=str(tmp_path / "x.db")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    (line,) = done.stderr.strip().splitlines()
    assert "COORD_AUTH_TOKEN" in line
    assert "COORD_ALLOW_INSECURE_NO_AUTH" in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_and_leaves_no_process(start_service, number):
    service = start_service()
    wait_for(lambda: len(group_of(service)) > 4, "the task cluster has its workers")
    processes = group_of(service)
    assert service.stop(number) == 0
    assert [pid for pid in processes if alive(pid)] == []
    assert "Traceback" not in service.output()


def test_work_under_way_is_finished_and_waiters_are_sent_home(start_service):
    service = start_service()
    answers: list[httpx.Response] = []
    body = {"claims": [{"type": "file", "pattern": "a.py"}]}

    def wait_in_line() -> None:
        with service.client() as client:
            answers.append(client.post("/claims", json={**body, "engineer": "bob", "wait_seconds": 60}))

    with service.client() as client:
        client.post("/claims", json={**body, "engineer": "alice"})
        waiter = threading.Thread(target=wait_in_line)
        waiter.start()
        wait_for(lambda: client.get("/requests?queued=true").json()["count"], "bob is in line")
    assert service.stop() == 0
    waiter.join(10)
    (answer,) = answers
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["retryable"] is True
    assert answer.headers["Retry-After"]


def test_its_children_end_with_a_killed_supervisor(start_service):
    service = start_service()
    wait_for(lambda: len(group_of(service)) > 4, "the task cluster has its workers")
    processes = group_of(service)
    service.kill()
    wait_for(lambda: not [pid for pid in processes if alive(pid)], "nothing of it is left")
    assert start_service().stop() == 0


def test_a_child_that_dies_is_started_again(start_service):
    service = start_service()

    def child(name: str) -> int | None:
        for pid in group_of(service)[1:]:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if name.encode() in command and parent == service.process.pid:
                return pid
        return None

    names = ("coordsite.server", "coordsite.cluster")
    first = {name: wait_for(lambda name=name: child(name), f"{name} runs") for name in names}
    for pid in first.values():
        os.kill(pid, signal.SIGKILL)
    for name in names:
        wait_for(lambda name=name: child(name) not in (None, first[name]), f"{name} runs again")
    wait_for(service._ready, "the service is ready again")
    for name in ("web", "cluster"):
        assert f"coord: {name} ended (killed by SIGKILL); it starts again" in service.output()


def test_it_detaches_says_so_and_is_stopped(tmp_path):
    variables = {"COORD_HOME": str(tmp_path / "home"), "COORD_PORT": str(free_port())}
    done = coord("start", "--background", "--json", **variables)
    try:
        assert done.returncode == 0, done.stderr
        state = json.loads(done.stdout)
        assert set(state) >= {"api_url", "dashboard_url", "database_path", "token_file", "auth_token"}
        assert alive(state["pid"])
        assert Path(state["token_file"]).read_text().strip() == state["auth_token"]
        assert httpx.get(f"{state['api_url']}/readyz", timeout=60).json()["status"] == "ready"
        again = coord("start", "--background", "--json", **variables)
        assert again.returncode == 0
        assert "runs already" in again.stderr
        assert json.loads(again.stdout)["pid"] is None
        elsewhere = coord("start", "--background", "--port", str(free_port()), **variables)
        assert (elsewhere.returncode, elsewhere.stdout) == (1, "")
        assert elsewhere.stderr.endswith(f" runs already at {state['api_url']}; `coord stop` stops it.\n")
    finally:
        stopped = coord("stop", **variables)
    assert (stopped.returncode, stopped.stdout) == (0, f"Stopped (process {state['pid']}).\n")
    assert not alive(state["pid"])
    assert coord("stop", **variables).stdout == "No service runs.\n"


def test_it_takes_no_other_homes_service_for_its_own(service, tmp_path):
    there = {"COORD_PORT": str(service.port)}
    done = coord("start", "--background", COORD_HOME=str(tmp_path / "other"), **there)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"coord: Another service answers at {service.url}, not the one of {tmp_path / 'other'}."
        " Choose another port (--port or COORD_PORT), or stop that one with its own COORD_HOME.\n"
    )
    mine = {"COORD_HOME": str(service.home), **there}
    done = coord("start", "--background", COORD_AUTH_TOKEN="another", **mine)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"runs already at {service.url}, with another token" in done.stderr
    assert "another\n" not in done.stderr
    done = coord("start", "--background", "--json", **mine)
    assert (done.returncode, json.loads(done.stdout)["auth_token"]) == (0, service.token)


def test_the_first_operator_signs_in_by_a_link_that_works_once(first):
    service, link = first, link_of(first)
    assert link.startswith(f"{service.url}/admin/signin/link/")
    with httpx.Client(timeout=60, verify=tls()) as operator, httpx.Client(timeout=60, verify=tls()) as late:
        entered = operator.get(link)
        assert (entered.status_code, entered.headers["Location"]) == (302, "/admin/")
        shown = operator.get(f"{service.url}/admin/")
        assert (shown.status_code, "operator" in shown.text) == (200, True)
        refused = late.get(link)
        assert (refused.status_code, refused.headers["Location"]) == (302, "/admin/login/")
        told = late.get(f"{service.url}/admin/login/").text
        assert "This link was used or has run out." in told
        assert late.get(f"{service.url}/admin/").status_code == 302


def test_a_start_in_the_background_that_fails_says_why(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        variables = {"COORD_HOME": str(tmp_path / "home"), "COORD_PORT": str(taken.getsockname()[1])}
        done = coord("start", "--background", **variables)
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1" in done.stderr


def test_a_start_that_fails_leaves_the_pid_file_of_the_service_that_runs(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    home.remember("")  # it has not said yet where it listens
    written = home.pid_file.read_text()
    with hold(home.lock, "taken"):
        done = coord("start", "--background", COORD_HOME=str(home.path), COORD_PORT=str(free_port()))
    assert (done.returncode, f"(process {os.getpid()})" in done.stderr) == (1, True)
    assert home.pid_file.read_text() == written


@pytest.mark.parametrize("flag", ["--port=0", "--port=x", "--nonsense"])
def test_a_wrong_flag_is_refused(tmp_path, flag):
    done = coord("start", flag, COORD_HOME=str(tmp_path / "home"))
    assert done.returncode == (1 if flag == "--port=0" else 2)
    assert "Traceback" not in done.stderr
    assert flag.partition("=")[0].strip("-").upper() in done.stderr.upper()
    assert not (tmp_path / "home").exists()
