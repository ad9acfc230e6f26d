"""A small HTTP client of the service for hooks, guards and commands. Standard library only."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from coordsite.bridge.environment import shown

MAX_BODY = 4 * 1024 * 1024


class Unreachable(Exception):
    """No usable answer: connection refused, timeout, TLS trouble, or a body that is not the service's."""


class Answer(NamedTuple):
    """One answer: its status and its JSON object (``{}`` for an empty or other body)."""

    status: int
    body: dict[str, Any]
    text: str = ""

    @property
    def detail(self) -> str:
        """The service's own words for a refusal, on one line and bounded."""
        detail = self.body.get("detail")
        if isinstance(detail, list):
            detail = "; ".join(str(item.get("msg", item)) for item in detail if isinstance(item, dict))
        warnings = self.body.get("warnings")
        if not detail and isinstance(warnings, list):
            detail = "; ".join(str(item) for item in warnings)
        return clean(str(detail or f"HTTP {self.status}"), 300)


def clean(text: str, limit: int) -> str:
    """Text of others made safe to print: one line, no control characters, bounded."""
    line = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Service:
    """The service at one base URL. Every call opens and closes its own connection."""

    def __init__(self, url: str, token: str = "", session: str = "", timeout: float = 3.0) -> None:
        self.url = url
        self.token = token
        self.session = session
        self.timeout = timeout

    @property
    def shown(self) -> str:
        """The URL for messages."""
        return clean(shown(self.url), 200)

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, idempotency_key: str = ""
    ) -> Answer:
        """Ask the service once. Raises :class:`Unreachable`; every HTTP status comes back as an answer."""
        headers = {"Accept": "application/json", "User-Agent": "coord-kit"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.session:
            headers["X-Coord-Session"] = self.session
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body).encode("ascii")
        status, text = self._exchange(method, path, payload, headers)
        try:
            parsed = json.loads(text) if text.strip() else {}
        except ValueError:
            parsed = {}
        return Answer(status, parsed if isinstance(parsed, dict) else {}, text)

    def _exchange(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str]:
        import http.client

        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            raise Unreachable(f"{self.shown} is not a URL: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"{self.shown} is not an http(s) URL")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, port, timeout=self.timeout)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body=payload, headers=headers)
            response = connection.getresponse()
            return response.status, response.read(MAX_BODY).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = clean(str(error) or type(error).__name__, 160)
            raise Unreachable(f"{self.shown} does not answer ({reason})") from None
        finally:
            connection.close()


def segment(text: str) -> str:
    """A text as one path segment of a URL."""
    return quote(text, safe="")
