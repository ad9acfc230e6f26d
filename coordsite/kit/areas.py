"""An area: one initialised repository as a hook or guard meets it, with its service, session and policy."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any, Literal, get_args

from coordsite.kit.places import Repository, coordination_of, is_private, repository_of
from coordsite.kit.state import State

if TYPE_CHECKING:
    from coordsite.bridge.environment import Settings
    from coordsite.kit.environment import Local
    from coordsite.kit.service import Answer, Service

Policy = Literal["warn", "block", "off"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
HOOK_TIMEOUT = 3.0


class Area:
    """One work tree under one ``.coordination`` directory. Everything slow is looked up on first use."""

    def __init__(self, repository: Repository, directory: str, session: str = "", tool: str = "") -> None:
        self.repository = repository
        self.directory = directory
        self.given_session = session
        self.tool = tool
        self.paths: list[str] = []
        self._local: Local | None = None
        self._state: State | None = None
        self._session = ""

    @property
    def local(self) -> Local:
        """The area's settings: the environment merged with its ``local.env``."""
        if self._local is None:
            from coordsite.kit.environment import local_of

            self._local = local_of(self.directory)
        return self._local

    @property
    def settings(self) -> Settings:
        """How to reach the service, and as whom."""
        return self.local.settings

    @property
    def repo(self) -> str:
        """The repository's name for the service; ``""`` is the service's null repository."""
        return self.settings.repo_id or ""

    @property
    def state(self) -> State:
        """What the hook remembers of this session here."""
        if self._state is None:
            self._state = State(self.given_session or "none", self.repository.common)
        return self._state

    @property
    def session(self) -> str:
        """The session that claims here: explicit, else the one of the tool's MCP bridge, else the tool's own.

        The choice is kept for the whole session, so that all claims of one agent are one party. Cursor runs
        many conversations in one process beside one bridge: there each conversation claims for itself.
        """
        if not self._session:
            chosen = os.environ.get("COORD_SESSION_ID", "").strip() or self.state.values.get("session")
            if not isinstance(chosen, str) or not chosen:
                bridges = [] if self.tool == "cursor" else self._bridges()
                chosen = next(iter(bridges), self.given_session)
                self.state.values["session"] = chosen
            self._session = chosen
        return self._session

    def sessions(self) -> list[str]:
        """Every session that is this agent's own here."""
        found = [self.session, self.given_session, *self._bridges()]
        return [session for session in dict.fromkeys(found) if session]

    def _bridges(self) -> list[str]:
        from coordsite.kit import processes, sessions

        known = self.tool and self.given_session and processes.has_proc()
        return sessions.bridges(self.directory, processes.agent_process()) if known else []

    def service(self, timeout: float = HOOK_TIMEOUT) -> Service:
        """A client of the area's service, speaking for the session."""
        from coordsite.kit.service import Service

        return Service(self.settings.api_url, self.settings.token or "", self.session, timeout)

    @property
    def engineer(self) -> str:
        """In whose name claims are made: the token's engineer, else the configured or git's user."""
        from coordsite.kit.gitread import line

        key = f"{zlib.crc32((self.settings.api_url + (self.settings.token or '')).encode()):08x}"
        known = self.state.values.get("engineer")
        if isinstance(known, list) and len(known) == 2 and known[0] == key and isinstance(known[1], str):
            return known[1]
        proven = proven_engineer(self.service())
        name = proven or self.settings.identity or line(self.repository.top, "config", "user.name") or "agent"
        self.state.values["engineer"] = [key, name[:200]]
        return name[:200]

    @property
    def branch(self) -> str:
        """The branch checked out in the work tree; ``""`` when detached."""
        from coordsite.kit.gitread import branch_of

        return branch_of(self.repository.git_dir)

    def option(self, name: str) -> object:
        """A top-level value of the area's ``config.toml``; ``None`` when absent or unreadable."""
        import tomllib

        try:
            with open(os.path.join(self.directory, "config.toml"), "rb") as file:
                return tomllib.load(file).get(name)
        except (OSError, ValueError):
            return None

    @property
    def policy(self) -> Policy:
        """What happens when the service gives no verdict; anything unknown reads as ``warn``."""
        chosen = self.option("on_unreachable")
        return "block" if chosen == "block" else "off" if chosen == "off" else "warn"

    def heartbeat(self) -> list[dict[str, Any]]:
        """Tell the service that the session lives; the leases that it lost meanwhile, as the service lists
        them. Failure is no news: the next write will tell."""
        from coordsite.kit.service import Unreachable, segment

        path = f"/sessions/{segment(self.session)}/heartbeat"
        try:
            lost = self.service().call("POST", path, {}).body.get("lost")
        except Unreachable:
            return []
        return [row for row in lost if isinstance(row, dict)] if isinstance(lost, list) else []

    def release(self) -> Answer | None:
        """Give back everything the session holds, in one call; ``None`` when the service is out of reach."""
        from coordsite.kit.service import Unreachable, segment

        try:
            return self.service(10).call("POST", f"/sessions/{segment(self.session)}/release", {})
        except Unreachable:
            return None


def proven_engineer(service: Service) -> str:
    """The engineer that a personal token proves; ``""`` for a shared token or a service that cannot tell."""
    from coordsite.kit.service import Unreachable, clean

    try:
        answer = service.call("GET", "/whoami")
    except Unreachable:
        return ""
    name = answer.body.get("engineer") if answer.status == 200 else None
    return clean(name, 200) if isinstance(name, str) else ""


def area_at(path: str, session: str = "", tool: str = "") -> Area | None:
    """The area that governs ``path``; ``None`` where no repository was initialised."""
    repository = repository_of(path)
    directory = coordination_of(repository, path) if repository else None
    return Area(repository, directory, session, tool) if repository and directory else None


def areas_of(paths: list[str] | tuple[str, ...], session: str, tool: str = "") -> list[Area]:
    """The areas that govern the paths, each with those of its paths that can be claimed."""
    found: dict[tuple[str, str], Area] = {}
    homes: dict[str, Repository | None] = {}
    for path in paths:
        real = os.path.realpath(path)
        home = os.path.dirname(real)
        if home not in homes:
            homes[home] = repository_of(home)
        repository = homes[home]
        directory = coordination_of(repository, real) if repository else None
        if repository is None or directory is None:
            continue
        relative = repository.relative(real)
        if not is_private(repository, relative):
            area = found.setdefault((repository.top, directory), Area(repository, directory, session, tool))
            if relative not in area.paths:
                area.paths.append(relative)
    return list(found.values())
