"""The web process: daphne (or another server, by a setting) with this service's limits and orderly end.

``python -m coordsite.server`` and ``coord-api`` run :func:`main`: take the instance lock, migrate, listen.
"""

from __future__ import annotations

# daphne installs the asyncio reactor; nothing may import Twisted's before.
import daphne.server as daphne_server  # isort: skip

import asyncio
import contextlib
import functools
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from daphne import http_protocol
from daphne.endpoints import build_endpoint_description_strings
from twisted.internet import reactor
from twisted.web import http

from common.databases import make_place
from coordsite.channel import BoundedFactory
from coordsite.instance import InstanceTaken, instance_lock
from coordsite.supervision import READY_FD, follow_supervisor, tell_ready

log = logging.getLogger("coord.server")

# On every request daphne takes Twisted's classes from their module, which is wrapped in a slow proxy.
vars(http_protocol)["http"] = SimpleNamespace(Request=http.Request, HTTPFactory=http.HTTPFactory)

BACKLOG = 1024
GRACE_S = 20.0
"""How long a stop waits for requests under way, in seconds."""
FLUSH_S = 0.1
"""Time for the last answers to leave the sockets, in seconds."""
LAST_S = 2.0
"""How long cancelled tasks may take, in seconds."""


class Server(daphne_server.Server):
    """daphne, stopping in order: no new connections, waiters sent home, work under way finished."""

    def __init__(self, application: Any, endpoints: list[str], ready: Callable[[], None]) -> None:
        super().__init__(
            application,
            endpoints=endpoints,
            signal_handlers=False,
            ready_callable=ready,
            server_name="coord",
        )
        self.failure = ""
        self._ports: list[Any] = []
        self._ending: asyncio.Task[None] | None = None

    def create_application(self, protocol: Any, scope: Any) -> Any:
        """As daphne's; forgets the request when it has ended, instead of in a search once a second."""
        queue = super().create_application(protocol, scope)
        details = self.connections.get(protocol)
        if details is not None:
            details["application_instance"].add_done_callback(functools.partial(self._forget, protocol))
        return queue

    def _forget(self, protocol: Any, ended: asyncio.Future[None]) -> None:
        details = self.connections.get(protocol)
        if details and "disconnected" in details and not ended.cancelled() and ended.exception() is None:
            del self.connections[protocol]

    def listen_success(self, port: Any) -> None:
        """Keep the port: it is closed first when the service stops."""
        super().listen_success(port)
        self._ports.append(port)

    def listen_error(self, failure: Any) -> None:
        """The address is taken or not ours: end at once."""
        self.failure = failure.getErrorMessage()
        self.stop()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        loop = daphne_server.twisted_loop
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        super().run()

    def end(self) -> None:
        """Begin to stop; the second time, stop now. On the event loop."""
        if self._ending is not None:
            self.stop()
            return
        self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        from coordsite.lanes import lanes

        for port in self._ports:
            port.stopListening()
        lanes().stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await lanes().idle()
        await asyncio.sleep(FLUSH_S)
        await self._end_tasks()
        self.stop()

    async def _end_tasks(self) -> None:
        """Cancel what still runs, as ``asyncio.run`` does: libraries end their threads with their tasks."""
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=LAST_S)


def tune_gc() -> None:
    """What start-up made lives forever: collect once, keep it out of later collections, collect less."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


def unusable_database() -> str:
    """Why the database cannot be opened, in one line that shows no password; empty when it can."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.db import Error, connection

    config = settings.COORD
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (Error, ImproperlyConfigured) as error:
        name = (
            "COORD_DATABASE_URL" if config.database_url else f"COORD_DATABASE_PATH={config.database_path!r}"
        )
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        return f"{name}: the database cannot be opened: {reason}"
    return ""


def migrate() -> None:
    """Bring the database to this version's schema. Several processes may do so at once."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from coordsite import views

    with migration_lock():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
    views.schema_is_current()
    connection.close()


def prepare() -> None:
    """What the apps do once at start, now that the tables are there. One process at a time."""
    from django.db import connection

    from claims.services import upkeep
    from ownership.services import automatic
    from webhooks.services import environment

    with migration_lock():
        upkeep.prepare()
        automatic.prepare()
        environment.prepare()
    connection.close()


MIGRATION_LOCK = 0x636F6F7264
"""PostgreSQL's advisory lock of a migration or preparation under way (the word ``coord``)."""


@contextlib.contextmanager
def migration_lock() -> Any:
    """One process at a time on PostgreSQL. On SQLite the instance lock and the file's own do."""
    from django.db import connection

    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def first_link() -> str:
    """The way in for the first operator, while nobody has signed in; empty afterwards."""
    from django.db import connection

    from coordsite.signin import services

    with migration_lock():
        link = services.first_link()
    connection.close()
    return link or ""


def serve(application: Any, host: str, port: int, ready: Callable[[], None]) -> int:
    """Listen and serve with daphne until told to stop; the exit code."""
    vars(daphne_server)["HTTPFactory"] = BoundedFactory  # daphne offers no other way to choose it
    endpoints = [
        f"{description}:backlog={BACKLOG}"
        for description in build_endpoint_description_strings(host=host, port=port)
    ]
    server = Server(application, endpoints, ready)
    server.run()
    if server.failure:
        advice = "choose another port (COORD_PORT), or stop what listens there"
        print(f"coord: cannot listen on {host} port {port}: {server.failure}; {advice}", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Run the web process with the settings of the environment; the exit code."""
    follow_supervisor()
    gc.disable()  # until everything is loaded
    from django.conf import settings

    config = settings.COORD
    path = "" if config.database_url else config.database_path
    if path:
        make_place(Path(path))
    try:
        with instance_lock(path, enabled=not config.disable_instance_lock):
            import django

            django.setup()
            if problem := unusable_database():
                print(f"coord: {problem}", file=sys.stderr)
                return 1
            migrate()
            prepare()
            from coordsite.asgi import application

            link = first_link() if READY_FD in os.environ else ""

            def ready() -> None:
                tune_gc()
                tell_ready(link)
                log.info("listening on %s port %s", config.host, config.port)

            if config.asgi_server == "uvicorn":
                from coordsite import uvicorn_server

                return uvicorn_server.serve(application, config.host, config.port, ready)
            from coordsite.lifespan import begin

            begin()
            return serve(application, config.host, config.port, ready)
    except InstanceTaken as taken:
        print(f"coord: {taken}", file=sys.stderr)
        return 3


# The reactor is imported for its side: it must be daphne's.
assert reactor is not None

if __name__ == "__main__":
    from coordsite.cli import api

    sys.exit(api())
