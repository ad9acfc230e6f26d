"""Fixtures over the real service. Every test here starts processes of its own and stops them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.engines.once import made_once

from .service import Service, coord, git

KNOWN = "org/known"
"""The repository whose checkout :func:`configured` knows."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test below this directory starts real processes."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of this version, so that not every start has to make one."""

    def migrate(database: Path) -> None:
        home = str(tmp_path_factory.mktemp("migrated"))
        done = coord("migrate", COORD_HOME=home, COORD_DATABASE_PATH=str(database), COORD_SECRET_KEY="s")
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "migrated.db", migrate)


def lay_database(migrated: Path, service: Service) -> None:
    """Give a service that never ran the empty database."""
    service.database.parent.mkdir(parents=True, mode=0o700)
    shutil.copy(migrated, service.database)


@pytest.fixture
def start_service(tmp_path: Path, migrated: Path) -> Iterator[Callable[..., Service]]:
    """Start services with these COORD_* variables: ``start_service(COORD_LOG_JSON="true")``.

    Each has a home of its own below ``tmp_path`` (``name`` chooses it; the same name starts on what an
    earlier service left there), and an empty database; with ``fresh`` not even that. All are stopped at
    the end.
    """
    started: list[Service] = []

    def start(name: str = "home", port: int = 0, fresh: bool = False, **variables: str) -> Service:
        service = Service(tmp_path / name, variables, port)
        started.append(service)
        own = "COORD_DATABASE_PATH" in variables or "COORD_DATABASE_URL" in variables
        if not fresh and not own and not service.database.exists():
            lay_database(migrated, service)
        return service.start()

    yield start
    for service in started:
        if service.process is not None and service.process.poll() is None:
            service.stop()


@contextmanager
def serving(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path, variables: dict[str, str] | None = None
) -> Iterator[Service]:
    """A service on an empty database, for as long as the context."""
    running = Service(tmp_path_factory.mktemp("service") / "home", variables or {})
    lay_database(migrated, running)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Service]:
    """One service with the default settings for all tests: use repositories of your own in each.

    Whoever changes what all repositories share takes :func:`modules_service`.
    """
    with serving(tmp_path_factory, migrated) as running:
        yield running


@pytest.fixture(scope="module")
def modules_service(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Service]:
    """One service with the default settings for a module's tests."""
    with serving(tmp_path_factory, migrated) as running:
        yield running


@pytest.fixture(scope="session")
def configured(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Service]:
    """A service that knows a checkout and pages of others, and where who is silent for 3 s loses all."""
    tree = tmp_path_factory.mktemp("known")
    (tree / "a.py").write_text("def known():\n    pass\n")
    git(tree, "init", "-q")
    git(tree, "add", "a.py")
    (tree / "untracked.py").write_text("def secret():\n    pass\n")
    variables = {
        "COORD_IDLE_TIMEOUT_SEC": "3",
        "COORD_MCP_ALLOWED_ORIGINS": "https://ide.example, https://b.example/",
        "COORD_REPO_ROOT": str(tree),
        "COORD_REPO_ID": KNOWN,
    }
    with serving(tmp_path_factory, migrated, variables) as running:
        yield running


@pytest.fixture
def http(service: Service) -> Iterator[httpx.Client]:
    """A client of ``service`` with its token."""
    with service.client() as client:
        yield client
