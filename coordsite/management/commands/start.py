"""``coord start``: the whole service, in the foreground or detached."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import webbrowser
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.commands import ClientCommand
from coordsite.bridge.environment import LOOPBACK, base_url
from coordsite.config import Config, load
from coordsite.home import Home, home_of
from coordsite.instance import InstanceTaken, hold
from coordsite.keys import kept_secret
from coordsite.kit.service import Service, Unreachable
from coordsite.supervision import MOST_NOTE, READY_FD, NotReady, Supervisor, tell_ready

LOOK_S = 2.0
"""How long a service that listens already may take to answer."""
MOST_REPLICAS = 16
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class State:
    """What a person needs to know of a started service. ``pid`` only of one that was just detached;
    ``replicas`` the address of each web process, when there are several; ``signin_url`` the one-time way
    in for the first operator, until somebody has signed in.
    """

    api_url: str
    dashboard_url: str
    database_path: str
    token_file: str
    auth_token: str
    pid: int | None = None
    replicas: tuple[str, ...] = ()
    signin_url: str | None = None

    def with_link(self, path: str) -> State:
        """The state with the way in that the service made; an empty path is none."""
        base = self.dashboard_url.removesuffix("/admin/")
        return replace(self, signin_url=base + path if path else None)


class Command(ClientCommand):
    """Prepares the state directory and the children's environment, then supervises."""

    help = "Start the service: API, dashboard and background tasks."
    examples = ("coord start", "coord start --background --json", "coord start --port 9000 --open-dashboard")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The flags; each wins over its variable."""
        parser.add_argument("--host", help="address to listen on (COORD_HOST, else 127.0.0.1)")
        parser.add_argument("--port", type=int, help="port to listen on (COORD_PORT, else 8080)")
        parser.add_argument(
            "--replicas", type=int, default=1, help="web processes, on ports from --port on (PostgreSQL only)"
        )
        parser.add_argument("--background", action="store_true", help="detach once the service is ready")
        parser.add_argument("--open-dashboard", action="store_true", help="open the dashboard in a browser")
        parser.add_argument("--json", action="store_true", help="print the state as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start; returns when the service has stopped, or was detached."""
        environment = child_environment(os.environ, options["host"], options["port"])
        os.environ.update(environment)
        config = load()
        home = home_of(config)
        ports = ports_of(config, options["replicas"])
        state = state_of(config, home, ports)
        show = Shown(self, options)
        if options["background"]:
            self.detach(config, home, state, show)
        else:
            self.supervise(config, home, state, show, ports)

    def supervise(self, config: Config, home: Home, state: State, show: Shown, ports: Sequence[int]) -> None:
        """Run the children in the foreground until a signal."""
        home.make()
        try:
            with hold(home.lock, f"A service runs on {home.path} already"):
                supervisor = Supervisor(os.environ, ports)
                with supervisor.signals():
                    try:
                        with self.working("Starting the service"):
                            supervisor.start_web(config.start_ready_timeout_sec)
                        home.remember(state.api_url)
                        if not tell_ready(supervisor.note):  # else whoever detached this process shows it
                            show.state(state.with_link(supervisor.note))
                        supervisor.start_cluster()
                        supervisor.keep()
                    finally:
                        supervisor.end()
                        home.forget()
        except InstanceTaken as taken:
            raise CommandError(str(taken), returncode=1) from None
        except NotReady as error:
            if error.code:
                raise CommandError(str(error), returncode=error.code) from None

    def detach(self, config: Config, home: Home, state: State, show: Shown) -> None:
        """Start a supervisor that outlives this terminal; return once it is ready."""
        if answers(state):
            if trouble := not_ours(config, home, state):
                raise CommandError(trouble, returncode=1)
            self.stderr.write("The service runs already.")
            show.state(state)
            return
        if url := home.url():
            raise CommandError(f"The service of {home.path} runs already at {url}; `coord stop` stops it.")
        home.make()
        ready, said = os.pipe()
        log = home.open_log()
        argv = [sys.executable, "-m", "coordsite.cli", "start"]
        argv += ["--replicas", str(len(state.replicas) or 1)]
        process = subprocess.Popen(
            argv,
            env={**os.environ, READY_FD: str(said)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(said,),
        )
        os.close(said)
        os.close(log)
        patience = config.start_ready_timeout_sec * max(1, len(state.replicas)) + 5
        with self.working("Starting the service"):
            readable, _, _ = select.select([ready], [], [], patience)
        word = os.read(ready, 1 + MOST_NOTE) if readable else b""
        if not word:
            process.terminate()
            process.wait()
            home.forget_process(process.pid)
            raise CommandError(f"The service did not start.\n{tail(home)}", returncode=1)
        process.returncode = 0  # it is on its own now
        show.state(replace(state.with_link(word[1:].decode()), pid=process.pid))


class Shown:
    """How a started service is told to the person or program that started it."""

    def __init__(self, command: BaseCommand, options: Mapping[str, Any]) -> None:
        self.command = command
        self.as_json = bool(options["json"])
        self.browse = bool(options["open_dashboard"])

    def state(self, state: State) -> None:
        """Print the state; open the dashboard if asked."""
        self.command.stdout.write(json.dumps(asdict(state)) if self.as_json else in_words(state))
        self.command.stdout.flush()
        if self.browse:
            webbrowser.open(state.signin_url or state.dashboard_url)


def in_words(state: State) -> str:
    """The state for people: where, how to get in, what to try."""
    token = state.auth_token
    export = [f"  export COORD_AUTH_TOKEN={token}"] if token else ["Everybody may ask: no token is set."]
    if not token and load().require_per_engineer_token:
        export = [
            "  export COORD_AUTH_TOKEN=…   # yours, made by an operator: coord tokens create <engineer>"
        ]
    header = " -H 'Authorization: Bearer '$COORD_AUTH_TOKEN" if token else ""
    return "\n".join(
        [
            *(f"API        {url}" for url in state.replicas or (state.api_url,)),
            f"Dashboard  {state.dashboard_url}",
            *([f"Sign in    {state.signin_url}  (once, for the first operator)"] if state.signin_url else []),
            "",
            "In another terminal:",
            f"  export COORD_API_URL={state.api_url}",
            *export,
            f"  curl {state.api_url}/claims{header} --json "
            """'{"engineer": "me", "claims": [{"type": "file", "pattern": "README.md"}]}'""",
            "",
        ]
    )


def child_environment(given: Mapping[str, str], host: str | None, port: int | None) -> dict[str, str]:
    """The environment of the service: flags, then variables, then what ``coord start`` sets up itself.

    Makes the token and the signing key in the state directory. Raises ``ConfigError``.
    """
    environment = dict(given)
    environment["COORD_HOST"] = host or given.get("COORD_HOST") or LOOPBACK
    if port is not None:
        environment["COORD_PORT"] = str(port)
    os.environ.update(environment)
    config = load()
    home = home_of(config)
    environment["COORD_HOME"] = str(home.path)
    if not config.database_url and not given.get("COORD_DATABASE_PATH"):
        environment["COORD_DATABASE_PATH"] = str(home.database)
    needless = config.allow_insecure_no_auth or config.require_per_engineer_token
    if not config.auth_token.get_secret_value() and not needless:
        environment["COORD_AUTH_TOKEN"] = kept_secret(home.token, create=True)
    if not config.secret_key.get_secret_value():
        environment["COORD_SECRET_KEY"] = kept_secret(home.secret_key, create=True)
    return environment


def ports_of(config: Config, replicas: int) -> list[int]:
    """The port of each web process. Raises ``CommandError``."""
    if replicas > 1 and not config.database_url:
        raise CommandError("--replicas needs PostgreSQL: set COORD_DATABASE_URL. One process serves SQLite.")
    if not 1 <= replicas <= MOST_REPLICAS or config.port + replicas - 1 > LAST_PORT:
        raise CommandError(
            f"--replicas={replicas}; allowed: 1 to {MOST_REPLICAS}, with ports up to {LAST_PORT}"
        )
    return list(range(config.port, config.port + replicas))


def state_of(config: Config, home: Home, ports: Sequence[int]) -> State:
    """Where the service is and how to get in."""
    base = base_url(config.host, config.port)
    return State(
        api_url=base,
        dashboard_url=f"{config.public_url.rstrip('/') or base}/admin/",
        database_path="" if config.database_url else config.database_path,
        token_file=str(home.token),
        auth_token=config.auth_token.get_secret_value(),
        replicas=tuple(base_url(config.host, port) for port in ports) if len(ports) > 1 else (),
    )


def answers(state: State) -> bool:
    """Whether a ready service listens at the address already."""
    return status_of(Service(state.api_url, timeout=LOOK_S), "/readyz") == HTTPStatus.OK


def not_ours(config: Config, home: Home, state: State) -> str:
    """Why the service that listens at the address cannot be taken for this one; empty when it is this one."""
    if not home.serves(state.api_url):
        return (
            f"Another service answers at {state.api_url}, not the one of {home.path}."
            " Choose another port (--port or COORD_PORT), or stop that one with its own COORD_HOME."
        )
    token = "" if config.require_per_engineer_token else state.auth_token
    service = Service(state.api_url, token, timeout=LOOK_S)
    if token and status_of(service, "/claims?limit=1") == HTTPStatus.UNAUTHORIZED:
        return (
            f"The service of {home.path} runs already at {state.api_url}, with another token."
            " Unset COORD_AUTH_TOKEN, or run `coord stop` and start it again."
        )
    return ""


def status_of(service: Service, path: str) -> int:
    """The status of an answer; 0 when there is none."""
    try:
        return service.call("GET", path).status
    except Unreachable:
        return 0


def tail(home: Home, lines: int = 10) -> str:
    """The end of the log."""
    try:
        text = home.log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
