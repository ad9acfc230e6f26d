"""How a client reaches the service: the process's environment merged with ``.coordination/local.env``.

The one grammar of that file, for the bridge, hooks and commands. Standard library only, cheap to import.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from coordsite.bridge.places import candidates

LOOPBACK = "127.0.0.1"
HTTP_PORT = 80
DEFAULT_PORT = 8080
DEFAULT_URL = f"http://{LOOPBACK}:{DEFAULT_PORT}"
KEYS = (
    "COORD_API_URL",
    "COORD_SERVICE_URL",
    "COORD_AUTH_TOKEN",
    "COORD_REPO_ID",
    "COORD_REPO_ROOT",
    "COORD_USER",
    "COORD_REQUESTER",
)
PLACEHOLDERS = frozenset({"", "set-me", "example-org/example-repo", DEFAULT_URL})
MAX_BYTES = 262_144
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)", re.DOTALL)


class InvalidEnv(ValueError):
    """A line of a ``local.env`` that is neither blank, nor a comment, nor ``KEY=VALUE``."""


class Settings(NamedTuple):
    """How to reach the service and as whom. ``None`` means not set; a placeholder counts as not set.

    ``COORD_SERVICE_URL`` stands in for a missing ``COORD_API_URL``, and for both the address that
    ``COORD_HOST`` and ``COORD_PORT`` give the service of this machine.
    ``sources`` tells per variable ``environment`` or ``file``; ``path`` is the ``local.env`` that was read.
    """

    api_url: str = DEFAULT_URL
    token: str | None = None
    repo_id: str | None = None
    repo_root: str | None = None
    user: str | None = None
    requester: str | None = None
    path: str | None = None
    sources: Mapping[str, str] = {}

    @property
    def shown_url(self) -> str:
        """The URL for messages: without a user name and password."""
        return shown(self.api_url)

    @property
    def is_local(self) -> bool:
        """Whether nothing names a service, so that the one which ``coord start`` runs here is meant."""
        return not {"COORD_API_URL", "COORD_SERVICE_URL"} & self.sources.keys()

    @property
    def identity(self) -> str | None:
        """Who asks, as configured: ``COORD_REQUESTER``, else ``COORD_USER``."""
        return self.requester or self.user


def shown(url: str) -> str:
    """A URL for messages: without a user name and password."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" if rest else url


def base_url(host: str, port: int | str) -> str:
    """The address of a service that listens there, for a client on the same machine."""
    reached = LOOPBACK if host in ("0.0.0.0", "::", "") else host  # noqa: S104
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def local_url(environ: Mapping[str, str]) -> str:
    """Where ``coord start`` listens with these variables: ``COORD_HOST`` and ``COORD_PORT``."""
    host, port = (environ.get(name, "").strip() for name in ("COORD_HOST", "COORD_PORT"))
    return base_url(host, port or DEFAULT_PORT)


def starter(url: str) -> str:
    """The command that starts the service of a URL; empty for one that runs on another machine."""
    from urllib.parse import urlsplit  # for a message only: hooks start without it

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme != "http" or not (host in ("localhost", "::1") or host.startswith("127.")):
        return ""
    named = "" if host in ("localhost", LOOPBACK) else f" --host {host}"
    return f"coord start{named}" + ("" if port == DEFAULT_PORT else f" --port {port or HTTP_PORT}")


def find_local_env(start: str) -> str | None:
    """The ``local.env`` that governs ``start``, also from a linked work tree; ``None`` when there is none."""
    return next((path for path in candidates(start, "local.env") if os.path.isfile(path)), None)


def parse_env(text: str, *, strict: bool = True) -> dict[str, str]:
    """The assignments of a ``local.env``: data, never executed; the last one of a name wins.

    One pair of quotes around a value is taken off. A line that is no assignment raises
    :class:`InvalidEnv` naming it, or is skipped when not ``strict``.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _ASSIGNMENT.fullmatch(line)
        if found and "\0" not in line:
            values[found[1]] = _unquoted(found[2].strip())
        elif strict:
            raise InvalidEnv(f"line {number} is not KEY=VALUE")
    return values


def is_placeholder(value: str | None) -> bool:
    """Whether a value stands for "not set yet"."""
    return value is None or value.strip() in PLACEHOLDERS


def resolve(environ: Mapping[str, str], cwd: str) -> Settings:
    """The environment merged with the ``local.env`` that governs ``cwd``; real values of the former win."""
    path = find_local_env(cwd)
    text = _read(path) if path else None
    return merge(environ, parse_env(text, strict=False) if text else {}, path)


def merge(environ: Mapping[str, str], file: Mapping[str, str], path: str | None = None) -> Settings:
    """The settings that an environment and the assignments of a file give together."""
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for source, mapping in (("file", file), ("environment", environ)):
        for key in KEYS:
            value = mapping.get(key)
            if value is not None and not is_placeholder(value):
                values[key], sources[key] = value.strip(), source
    return Settings(
        api_url=(values.get("COORD_API_URL") or values.get("COORD_SERVICE_URL") or local_url(environ)).rstrip(
            "/"
        ),
        token=values.get("COORD_AUTH_TOKEN"),
        repo_id=values.get("COORD_REPO_ID"),
        repo_root=values.get("COORD_REPO_ROOT"),
        user=values.get("COORD_USER"),
        requester=values.get("COORD_REQUESTER"),
        path=path,
        sources=sources,
    )


def warn(text: str) -> None:
    """Say something to the person who runs the process, without disturbing the protocol on stdout."""
    print(f"coord-mcp: {text}", file=sys.stderr, flush=True)


class Environment:
    """The settings as they are now: ``local.env`` is looked at again before each use.

    A file that appears later is found. A file with an invalid line keeps the last good settings and is
    warned about once per version of it. ``COORD_HOT_RELOAD=0`` pins what was read first.
    """

    def __init__(self, environ: Mapping[str, str], cwd: str, say: Callable[[str], None] = warn) -> None:
        self.environ = environ
        self.cwd = cwd
        self._say = say
        self._stamp: tuple[str, int, int, int] | None = None
        self._settings: Settings | None = None

    @property
    def pinned(self) -> bool:
        """Whether changes of the file are ignored."""
        return self.environ.get("COORD_HOT_RELOAD", "").strip() == "0"

    def settings(self) -> Settings:
        """The settings to use now."""
        if self._settings is not None and self.pinned:
            return self._settings
        path = find_local_env(self.cwd)
        stamp = _stamp(path) if path else None
        if self._settings is None or stamp != self._stamp:
            self._stamp = stamp
            self._settings = self._load(path)
        return self._settings

    def _load(self, path: str | None) -> Settings:
        text = _read(path) if path else None
        if path is None or text is None:
            if path is not None:
                self._say(f"{path} cannot be read; the settings stay as they are")
            return self._settings if path and self._settings else merge(self.environ, {})
        try:
            return merge(self.environ, parse_env(text), path)
        except InvalidEnv as error:
            if self._settings is not None:
                self._say(f"{path}: {error}; the settings stay as they were")
                return self._settings
            self._say(f"{path}: {error}; that line is skipped")
            return merge(self.environ, parse_env(text, strict=False), path)


def _stamp(path: str) -> tuple[str, int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path, found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return None


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
