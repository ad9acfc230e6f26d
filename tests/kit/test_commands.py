"""`coord`, `coord status`, `claims`, `release`, `engineers stale`: what a person sees, and the exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coordsite import cli, completing
from coordsite.bridge.environment import starter
from coordsite.home import Home
from tests.kit.conftest import Clone
from tests.kit.running import Runner
from tests.kit.service import FakeService

OLD = "2020-01-01T00:00:00Z"


def test_it_lists_every_command_by_use(tmp_path: Path, coord: Runner) -> None:
    done = coord(tmp_path)
    assert (done.code, done.out) == (2, "")
    assert coord(tmp_path, "help").out == done.err
    for use in ("Run the service:", "Look and act:", "Wire a repository:", "Operate:"):
        assert f"{use}\n" in done.err
    assert "More:" not in done.err, "every command has its place"
    listed = [line.split(maxsplit=1) for line in done.err.splitlines() if line.startswith("  ")]
    assert {name for name, _ in listed} == {*cli.own_commands(), *cli.DJANGOS}
    assert all(len(text) <= 110 for _, text in listed)


def test_it_says_which_command_was_meant(tmp_path: Path, coord: Runner) -> None:
    done = coord(tmp_path, "docter")
    assert (done.code, done.err) == (2, "coord: no such command: docter; did you mean `coord doctor`?\n")


@pytest.mark.parametrize("name", sorted(cli.own_commands()))
def test_every_command_has_help_with_examples(tmp_path: Path, coord: Runner, name: str) -> None:
    done = coord(tmp_path, name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"usage: coord {name}")
    assert f"\n  coord {name}" in done.out.partition("examples:")[2]


SCRIPTS = {"completions", "configdocs"}


def spoken(command: completing.Described) -> Iterator[tuple[str, set[str]]]:
    """Each command and subcommand that does something, with its options."""
    names = {name for option in command.options for name in option.names}
    if not command.subcommands:
        yield command.name, names
    for below in command.subcommands:
        for name, options in spoken(below):
            yield f"{command.name} {name}", options


def test_every_command_answers_programs() -> None:
    ours = [one for one in completing.commands_of() if one.name not in cli.DJANGOS]
    without = {name for one in ours for name, options in spoken(one) if "--json" not in options}
    assert without == SCRIPTS


@pytest.mark.parametrize("variable", ["COORD_PORT", "COORD_HOST"])
def test_the_service_of_this_machine_is_found_by_its_address(
    make_clone: Callable[[str], Clone],
    coord: Runner,
    service: FakeService,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    """Nothing names a service: it is looked for where `coord start` listens, with the token of its home."""
    bare = make_clone("bare")
    port = service.url.rpartition(":")[2]
    monkeypatch.setenv("COORD_PORT", port)
    if variable == "COORD_HOST":
        monkeypatch.setenv("COORD_HOST", "0.0.0.0")
    home = Path(os.environ["COORD_HOME"])
    home.mkdir()
    (home / "token").write_text("token-shared\n")
    state = coord(bare.path, "status", "--json").json
    assert (state["service_url"], state["active_claims"]) == (f"http://127.0.0.1:{port}", 0)
    assert state["token"] == "from the local service"
    done = coord(bare.path, "init", "--yes", "--json")
    assert done.code == 0, done.err
    assert f"COORD_API_URL=http://127.0.0.1:{port}\n" in (bare.path / ".coordination/local.env").read_text()


def started(url: str) -> None:
    """The pid file of a service that this process runs."""
    home = Home(os.environ["COORD_HOME"])
    home.make()
    home.remember(url)
    home.token.write_text("token-shared\n")


def test_the_service_that_runs_here_is_found_wherever_it_listens(
    make_clone: Callable[[str], Clone], coord: Runner, service: FakeService
) -> None:
    bare = make_clone("bare")
    started(service.url)
    state = coord(bare.path, "status", "--json").json
    assert (state["service_url"], state["token"]) == (service.url, "from the local service")
    assert coord(bare.path, "init", "--yes").code == 0
    assert f"COORD_API_URL={service.url}\n" in (bare.path / ".coordination/local.env").read_text()


def test_a_repository_is_asked_about_where_its_file_says(
    clone: Clone, coord: Runner, service: FakeService
) -> None:
    """What the hooks of the repository would ask, also when another service runs here."""
    started("http://127.0.0.1:9")
    assert coord(clone.path, "status", "--json").json["service_url"] == service.url
    clone.initialise("http://127.0.0.1:8080")
    assert coord(clone.path, "status", "--json").json["service_url"] == "http://127.0.0.1:8080"


def test_a_named_service_wins_over_the_address(
    clone: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COORD_PORT", "9")
    assert coord(clone.path, "status", "--json").json["service_url"] == service.url


def test_an_odd_port_is_told(tmp_path: Path, coord: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COORD_PORT", "eighty")
    done = coord(tmp_path, "status")
    assert (done.code, "http://127.0.0.1:eighty is not a URL" in done.err) == (1, True)


def test_client_commands_open_no_database_and_set_up_nothing(clone: Clone, service: FakeService) -> None:
    program = (
        "import sys; from coordsite import cli; code = cli.main(['claims']);"
        "assert not {'django.db.models', 'pydantic'} & sys.modules.keys(); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=clone.path,
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "COORD_DATABASE_PATH": "/no",
        },
    )
    assert (done.returncode, done.stdout) == (0, "No active claims.\n"), done.stderr


def test_status_tells_the_service_the_repository_and_the_token(clone: Clone, coord: Runner) -> None:
    done = coord(clone.path, "status")
    assert done.code == 0
    assert [line.split(maxsplit=1)[1] for line in done.out.splitlines()][3:] == [
        "acme/app",
        "from .coordination/local.env",
    ]
    assert coord(clone.path, "status", "--json").json["active_claims"] == 0


def test_status_says_when_there_are_more_claims_than_it_counts(
    clone: Clone, coord: Runner, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.hold("a.py", "bob")
    service.hold("b.py", "carol")
    monkeypatch.setattr(service, "page", 1)
    state = coord(clone.path, "status", "--json").json
    assert (state["active_claims"], state["more_claims"]) == (1, True)
    assert "active claims  1 or more\n" in coord(clone.path, "status").out


def test_status_tells_of_a_dead_token(clone: Clone, coord: Runner, service: FakeService) -> None:
    clone.initialise(service.url, "wrong")
    done = coord(clone.path, "status", "--json")
    assert (done.code, done.json["ready"], done.json["trouble"]) == (0, True, "Invalid bearer token")
    assert "run `coord doctor`" in done.err


def status_when_ready(service: FakeService, clone: Clone, coord: Runner) -> dict[str, object]:
    clone.initialise(service.url)
    state: dict[str, object] = coord(clone.path, "status", "--json").json
    return state


def test_status_fails_when_the_service_is_away(clone: Clone, coord: Runner, service: FakeService) -> None:
    clone.initialise("http://127.0.0.1:9")
    done = coord(clone.path, "status")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("coord: http://127.0.0.1:9 does not answer (")
    assert done.err.endswith("; `coord start --port 9` starts it\n")
    state = coord(clone.path, "status", "--json").json
    assert (state["ready"], state["active_claims"], state["repo"]) == (False, None, "acme/app")
    assert set(state) == set(status_when_ready(service, clone, coord))


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("http://127.0.0.1:8080", "coord start"),
        ("http://localhost:9000/", "coord start --port 9000"),
        ("http://localhost", "coord start --port 80"),
        ("http://[::1]:8080", "coord start --host ::1"),
        ("https://localhost:8080", ""),
        ("https://coord.acme.dev", ""),
        ("http://127.0.0.1:x", ""),
    ],
)
def test_it_names_the_command_that_starts_a_service_of_this_machine(url: str, command: str) -> None:
    assert starter(url) == command


def test_a_service_elsewhere_is_not_started_here(clone: Clone, coord: Runner) -> None:
    clone.initialise("https://coord.invalid")
    assert coord(clone.path, "claims").err.endswith("; ask whoever runs it, or correct COORD_API_URL\n")


def test_a_password_in_the_url_is_not_printed(clone: Clone, coord: Runner, service: FakeService) -> None:
    clone.initialise("http://bob:hunter2@127.0.0.1:9")
    for command in ("status", "claims"):
        assert coord(clone.path, command).err.startswith("coord: http://127.0.0.1:9 does not answer (")
    clone.initialise(service.url.replace("//", "//bob:hunter2@"), "wrong")
    assert coord(clone.path, "claims").err.startswith(f"coord: {service.url}: Invalid bearer token;")


def run(clone: Clone, command: str) -> subprocess.CompletedProcess[str]:
    """A shell's line with ``coord`` in it, as a process of its own."""
    line = command.replace("coord", f'"{sys.executable}" -m coordsite.cli')
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "LC_ALL": "C"}
    return subprocess.run(
        ["bash", "-c", line], cwd=clone.path, env=environ, capture_output=True, text=True, check=False
    )


def test_it_says_that_the_working_directory_is_gone(clone: Clone) -> None:
    done = run(clone, 'mkdir gone; cd gone; rmdir "$PWD"; coord claims')
    told = "coord: the working directory is gone; change into one that exists\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_output_that_cannot_be_written_is_one_line(clone: Clone) -> None:
    done = run(clone, "coord claims > /dev/full")
    assert (done.returncode, done.stderr) == (1, "coord: [Errno 28] No space left on device\n")
    assert run(clone, "coord claims >&- 2>&-").returncode == 0


def test_what_the_terminal_cannot_show_is_escaped(clone: Clone, service: FakeService) -> None:
    service.hold("ü.py", "bob")
    done = run(clone, "PYTHONIOENCODING=ascii coord claims")
    assert (done.returncode, r"bob  \xfc.py  expires=" in done.stdout) == (0, True)


def test_a_state_directory_that_is_none_is_one_line(clone: Clone, coord: Runner, monkeypatch) -> None:
    monkeypatch.setenv("COORD_HOME", str(clone.path / "README.md"))
    done = coord(clone.path, "stop")
    assert (done.code, done.err.startswith("coord: [Errno 20] Not a directory: ")) == (1, True)


def test_claims_are_those_of_the_repository(clone: Clone, coord: Runner, service: FakeService) -> None:
    mine = service.hold("src/**", "bob", "bob-1")
    service.hold("x.py", "carol", repo="acme/other")
    done = coord(clone.path, "claims")
    assert done.out == f"{mine['id']}  bob  src/**  expires={mine['expires_at']}\n"
    assert coord(clone.path, "claims", "--all-repos", "--json").json["count"] == 2
    assert (
        coord(clone.path, "claims", "--repo", "acme/other", "--json").json["claims"][0]["engineer"] == "carol"
    )
    assert coord(clone.path.parent, "claims").code == 1, "no service is known there"


def test_release_needs_a_name_and_says_what_it_did(clone: Clone, coord: Runner, service: FakeService) -> None:
    held = service.hold("a.py", "bob")
    done = coord(clone.path, "release", held["id"])
    assert (done.code, done.err) == (1, "coord: Name the claim's engineer: --engineer NAME\n")
    done = coord(clone.path, "release", held["id"], "--engineer", "bob")
    assert (done.code, done.out) == (0, f"Released: {held['id']}\n")
    done = coord(clone.path, "release", held["id"], "--engineer", "bob", "--json")
    assert (done.code, done.json["released"]) == (1, 0)


def test_engineers_stale_lists_the_silent_and_releases_what_they_hold(
    clone: Clone, coord: Runner, service: FakeService
) -> None:
    for pattern in ("a.py", "b.py"):
        service.hold(pattern, "bob", "bob-1", created_at=OLD, last_activity=OLD)
    service.hold("c.py", "carol", created_at=OLD, last_activity="2999-01-01T00:00:00Z")
    done = coord(clone.path, "engineers", "stale", "--json")
    row = {"engineer": "bob", "last_activity": OLD, "active_claim_count": 2, "repos": ["acme/app"]}
    assert done.json == {"engineers": [row], "count": 1, "released": 0}
    assert coord(clone.path, "engineers", "stale").out == f"bob  last={OLD}  claims=2  acme/app\n"
    done = coord(clone.path, "engineers", "stale", "--release")
    assert (done.code, "add --yes" in done.err, len(service.claims)) == (1, True, 3)
    done = coord(clone.path, "engineers", "stale", "--release", "--yes")
    assert done.out.endswith("Released 2 claims.\n")
    assert service.held() == ["c.py"]
    assert coord(clone.path, "engineers", "stale").out.startswith("Nobody holds a claim")


@pytest.mark.parametrize("days", ["-1", "nan", "99999"])
def test_engineers_stale_refuses_odd_ages(clone: Clone, coord: Runner, days: str) -> None:
    done = coord(clone.path, "engineers", "stale", "--days", days)
    assert (done.code, "--days must be at least 0" in done.err) == (1, True)
