"""``local.env``: found, parsed, merged with the environment, and read again when it changes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from coordsite.bridge.environment import (
    DEFAULT_URL,
    Environment,
    InvalidEnv,
    Settings,
    find_local_env,
    parse_env,
    resolve,
)


def write(directory: Path, text: str) -> Path:
    path = directory / ".coordination" / "local.env"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def git(*args: str, cwd: Path) -> None:
    command = ["git", "-c", "user.name=alice", "-c", "user.email=alice@example.org", *args]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    main = tmp_path / "main"
    main.mkdir()
    git("init", "-q", cwd=main)
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=main)
    return main


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# c\n\n  # d\nA=1\n", {"A": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        ('A="x y"\nB=\'z\'\nC="', {"A": "x y", "B": "z", "C": '"'}),
        (" export A = b=c ", {"A": "b=c"}),
        ("A=$(rm -rf /) `x` $B", {"A": "$(rm -rf /) `x` $B"}),
        ("A=", {"A": ""}),
    ],
)
def test_it_parses(text: str, values: dict[str, str]) -> None:
    assert parse_env(text) == values


@pytest.mark.parametrize("line", ["nonsense", "1A=x", "=x", "A B=1", "A=\0"])
def test_it_names_a_line_that_is_no_assignment(line: str) -> None:
    with pytest.raises(InvalidEnv, match="line 2"):
        parse_env(f"A=1\n{line}\nB=2")
    assert parse_env(f"A=1\n{line}\nB=2", strict=False) == {"A": "1", "B": "2"}


def test_it_finds_the_file_upwards(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_local_env(str(below)) == str(path)


def test_it_finds_the_main_work_trees_file_from_a_linked_one(repository: Path, tmp_path: Path) -> None:
    linked = tmp_path / "elsewhere" / "linked"
    git("worktree", "add", "-q", str(linked), cwd=repository)
    (linked / "src").mkdir()
    assert find_local_env(str(linked / "src")) is None
    path = write(repository, "")
    assert find_local_env(str(linked / "src")) == str(path)
    nearer = write(linked, "")
    assert find_local_env(str(linked / "src")) == str(nearer)


def test_a_submodule_is_its_own_work_tree(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git("init", "-q", cwd=other)
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=other)
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub", cwd=repository)
    path = write(repository, "")
    assert find_local_env(str(repository / "sub")) == str(path)
    own = write(repository / "sub", "")
    assert find_local_env(str(repository / "sub")) == str(own)


def test_real_values_of_the_environment_win(tmp_path: Path) -> None:
    path = write(tmp_path, "COORD_API_URL=http://file:1/\nCOORD_AUTH_TOKEN=file\nCOORD_REPO_ID=org/file\n")
    found = resolve({"COORD_REPO_ID": "org/env"}, str(tmp_path))
    assert (found.api_url, found.token, found.repo_id) == ("http://file:1", "file", "org/env")
    assert found.path == str(path)
    assert found.sources == {
        "COORD_API_URL": "file",
        "COORD_AUTH_TOKEN": "file",
        "COORD_REPO_ID": "environment",
    }


@pytest.mark.parametrize("placeholder", ["", " ", "set-me", "example-org/example-repo", DEFAULT_URL])
def test_a_placeholder_counts_as_unset(tmp_path: Path, placeholder: str) -> None:
    keys = ("COORD_API_URL", "COORD_AUTH_TOKEN", "COORD_REPO_ID")
    environ = dict.fromkeys(keys, placeholder)
    write(tmp_path, "".join(f"{key}={placeholder}\n" for key in keys))
    assert resolve(environ, str(tmp_path))[:3] == (DEFAULT_URL, None, None)
    write(tmp_path, "COORD_API_URL=http://x\nCOORD_AUTH_TOKEN=t\nCOORD_REPO_ID=o/r\n")
    assert resolve(environ, str(tmp_path))[:3] == ("http://x", "t", "o/r")


def test_it_ignores_other_keys(tmp_path: Path) -> None:
    write(tmp_path, "COORD_SESSION_ID=x\nPATH=/evil\nCOORD_USER=alice\n")
    assert resolve({}, str(tmp_path)).user == "alice"
    assert set(resolve({}, str(tmp_path)).sources) == {"COORD_USER"}


def test_the_requester_names_before_the_user() -> None:
    assert Settings(requester="rita", user="alice").identity == "rita"
    assert Settings(user="alice").identity == "alice"
    assert Settings().identity is None


class TestHotReload:
    """Reading again what changed."""

    def test_it_reads_a_changed_file(self, tmp_path: Path) -> None:
        path = write(tmp_path, "COORD_REPO_ID=org/one\n")
        environment = Environment({}, str(tmp_path))
        assert environment.settings().repo_id == "org/one"
        path.write_text("COORD_REPO_ID=org/second\n")
        assert environment.settings().repo_id == "org/second"

    def test_it_finds_a_file_made_later_and_notices_when_it_goes(self, tmp_path: Path) -> None:
        environment = Environment({}, str(tmp_path))
        assert environment.settings().repo_id is None
        path = write(tmp_path, "COORD_REPO_ID=org/one\n")
        assert environment.settings().repo_id == "org/one"
        path.unlink()
        assert environment.settings().repo_id is None

    def test_an_invalid_file_keeps_the_last_good_settings_and_warns_once(self, tmp_path: Path) -> None:
        said: list[str] = []
        path = write(tmp_path, "COORD_REPO_ID=org/one\n")
        environment = Environment({}, str(tmp_path), said.append)
        environment.settings()
        path.write_text("COORD_REPO_ID=org/second\n<<<<<<< HEAD\n")
        assert [environment.settings().repo_id for _ in range(3)] == ["org/one"] * 3
        assert len(said) == 1
        assert "line 2" in said[0]
        path.write_text("COORD_REPO_ID=org/third\n")
        assert environment.settings().repo_id == "org/third"

    def test_an_invalid_file_at_the_start_gives_its_valid_lines(self, tmp_path: Path) -> None:
        said: list[str] = []
        write(tmp_path, "what\nCOORD_REPO_ID=org/one\n")
        assert Environment({}, str(tmp_path), said.append).settings().repo_id == "org/one"
        assert "line 1" in said[0]

    def test_it_can_be_pinned(self, tmp_path: Path) -> None:
        path = write(tmp_path, "COORD_REPO_ID=org/one\n")
        environment = Environment({"COORD_HOT_RELOAD": "0"}, str(tmp_path))
        assert environment.settings().repo_id == "org/one"
        path.write_text("COORD_REPO_ID=org/second\n")
        assert environment.settings().repo_id == "org/one"

    def test_it_notices_a_rewrite_of_equal_length_at_the_same_time(self, tmp_path: Path) -> None:
        path = write(tmp_path, "COORD_REPO_ID=org/one\n")
        environment = Environment({}, str(tmp_path))
        environment.settings()
        before = path.stat()
        replacement = path.with_name("new")
        replacement.write_text("COORD_REPO_ID=org/two\n")
        os.utime(replacement, ns=(before.st_atime_ns, before.st_mtime_ns))
        replacement.replace(path)
        assert environment.settings().repo_id == "org/two"


def test_the_service_url_stands_in_for_the_api_url() -> None:
    environ = {"COORD_SERVICE_URL": "http://other:1/"}
    assert resolve(environ, "/").api_url == "http://other:1"
    assert resolve({**environ, "COORD_API_URL": "http://own:2"}, "/").api_url == "http://own:2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://bob:secret@host:1/x", "http://host:1/x"),
        ("http://host", "http://host"),
        ("nonsense", "nonsense"),
    ],
)
def test_messages_show_no_password(url: str, shown: str) -> None:
    assert Settings(api_url=url).shown_url == shown
