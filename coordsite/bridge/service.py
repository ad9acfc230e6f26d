"""The service over HTTP: one call, its retries, and an answer that is always data."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx

from coordsite.bridge.environment import Settings, starter
from coordsite.bridge.notices import Notices

TIMEOUT = 30.0
_RETRIED = frozenset({502, 503, 504})
_WARNING_HEADERS = ("X-Coord-Token-Warning", "X-Coord-Identity-Warning")

Params = Sequence[tuple[str, str | int | float]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said. ``status`` is 0 when it could not be reached; ``body`` is then made here."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the service did what was asked (202 included)."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Retry:
    """Capped exponential back-off with full jitter; seconds."""

    attempts: int = 4
    base_delay: float = 0.1
    max_delay: float = 5.0

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], say: Callable[[str], None]) -> Retry:
        """``COORD_RETRY_MAX_ATTEMPTS``, ``_BASE_DELAY``, ``_MAX_DELAY``; a bad value keeps its default."""
        return cls(
            attempts=int(number(environ, "COORD_RETRY_MAX_ATTEMPTS", 4, (1, 20), say)),
            base_delay=number(environ, "COORD_RETRY_BASE_DELAY", 0.1, (0, 60), say),
            max_delay=number(environ, "COORD_RETRY_MAX_DELAY", 5, (0, 60), say),
        )

    def delay(self, attempt: int) -> float:
        """How long to wait after the given attempt (0 is the first)."""
        return random.uniform(0, min(self.max_delay, self.base_delay * 2**attempt))  # noqa: S311 - jitter


def number(
    environ: Mapping[str, str],
    name: str,
    default: float,
    bounds: tuple[float, float],
    say: Callable[[str], None],
) -> float:
    """A numeric variable within bounds; anything else is said once and the default used."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if bounds[0] <= value <= bounds[1]:
        return value
    say(f"{name}={text!r} is not a number from {bounds[0]:g} to {bounds[1]:g}; using {default:g}")
    return default


@dataclass
class Service:
    """Calls of one session. Settings are asked for before every call, so they may change while it lives.

    Calls that change something carry an ``Idempotency-Key``, the same one on each retry. Nothing is raised
    for what the network or the service does: the answer says it.
    """

    settings: Callable[[], Settings]
    session_id: str
    notices: Notices
    retry: Retry = field(default_factory=Retry)
    transport: httpx.AsyncBaseTransport | None = None
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    monotonic: Callable[[], float] = time.monotonic
    _client: httpx.AsyncClient | None = None

    async def get(self, path: str, params: Params = (), *, budget: float = TIMEOUT) -> Answer:
        """Read something. ``budget`` bounds the whole call in seconds, retries included."""
        return await self._call("GET", path, params=params, budget=budget)

    async def post(
        self, path: str, body: Mapping[str, Any], *, budget: float = TIMEOUT, attempts: int | None = None
    ) -> Answer:
        """Change (or ask) something."""
        return await self._call("POST", path, body=body, budget=budget, attempts=attempts)

    async def delete(self, path: str, params: Params = (), *, budget: float = TIMEOUT) -> Answer:
        """Take something away."""
        return await self._call("DELETE", path, params=params, budget=budget)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        body: Mapping[str, Any] | None = None,
        budget: float,
        attempts: int | None = None,
    ) -> Answer:
        key = None if method == "GET" else str(uuid.uuid4())
        end = self.monotonic() + budget
        last = (attempts or self.retry.attempts) - 1
        attempt = 0
        while True:
            left = max(end - self.monotonic(), 0.1)
            answer, retryable = await self._attempt(method, path, params, body, key, left)
            delay = self._delay(answer, attempt) if retryable and attempt < last else None
            if delay is None or self.monotonic() + delay >= end:
                return answer
            await self.sleep(delay)
            attempt += 1

    def _delay(self, answer: Answer, attempt: int) -> float | None:
        """How long to wait before the next attempt; ``None`` when the service asks for more than we wait."""
        asked = answer.body.get("retry_after_s")
        least = float(asked) if isinstance(asked, int | float) else 0.0
        return None if least > self.retry.max_delay else max(least, self.retry.delay(attempt))

    async def _attempt(
        self,
        method: str,
        path: str,
        params: Params,
        body: Mapping[str, Any] | None,
        key: str | None,
        timeout: float,
    ) -> tuple[Answer, bool]:
        settings = self.settings()
        try:
            response = await self._http().request(
                method,
                settings.api_url + path,
                params=list(params) or None,
                json=body,
                headers=self._headers(settings, key),
                timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            )
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
            return _bad_settings(settings, error), False
        except (OSError, ValueError) as error:  # certificates, proxies and host names of the environment
            return _bad_settings(settings, error), False
        except httpx.TransportError as error:
            return _unreachable(settings, error), True
        except httpx.HTTPError as error:
            return _unreachable(settings, error), False
        for name in _WARNING_HEADERS:
            if response.headers.get(name):
                self.notices.add(f"{name} {response.headers[name]}", response.headers[name])
        answer = Answer(response.status_code, _body_of(response, settings))
        in_flight = answer.status == 409 and answer.body.get("code") == "in_flight"
        return answer, in_flight or answer.status in _RETRIED

    def _headers(self, settings: Settings, key: str | None) -> list[tuple[bytes, bytes]]:
        headers = {"Accept": "application/json", "X-Coord-Session": self.session_id}
        if settings.token:
            headers["Authorization"] = f"Bearer {settings.token}"
        if key:
            headers["Idempotency-Key"] = key
        return [(name.encode(), value.encode()) for name, value in headers.items()]

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(transport=self.transport, follow_redirects=False)
        return self._client


def _body_of(response: httpx.Response, settings: Settings) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {
            "detail": f"{settings.shown_url} answered {response.status_code}, but not as coord does.",
            "code": "not_coord",
            "next": "Check COORD_API_URL.",
        }
    after = response.headers.get("Retry-After", "")
    if "retry_after_s" not in body and after.isdecimal():
        body["retry_after_s"] = int(after)
    return body


def _bad_settings(settings: Settings, error: Exception) -> Answer:
    detail = f"The service cannot be called with these settings: {str(error)[:160]}"
    next_step = "Check COORD_API_URL and COORD_AUTH_TOKEN in .coordination/local.env."
    return Answer(0, {"detail": detail, "code": "bad_settings", "next": next_step})


def _unreachable(settings: Settings, error: Exception) -> Answer:
    timed_out = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
    start = starter(settings.api_url)
    started = f"; `{start}` starts the service" if start else ""
    why = "no answer in time" if timed_out else str(error)[:120] or type(error).__name__
    return Answer(
        0,
        {
            "detail": f"The coord service at {settings.shown_url} cannot be reached ({why}).",
            "code": "unreachable",
            "next": f"Do not count on holding anything. Tell the user{started}.",
        },
    )
