"""Sending one delivery over HTTP: bounded in time and size, to checked addresses only."""

from __future__ import annotations

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial

import httpx

from webhooks.addresses import is_public

TIMEOUT_S = 10.0
"""Time for a whole attempt, from name resolution to the answer's excerpt, in seconds."""
EXCERPT_BYTES = 1000
EXCERPT_S = 1.0
"""Time that the answer's excerpt may take once the status is known, in seconds."""

# Not the loop's own executor: closing a loop waits for that, and a resolver may hang.
_resolvers = ThreadPoolExecutor(8, thread_name_prefix="coord-resolve")


class RefusedAddress(Exception):
    """The receiver's name leads to an address that deliveries may not go to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: ``error`` is None exactly when the receiver answered 2xx."""

    error: str | None
    status: int | None = None
    excerpt: str | None = None


async def _resolve(host: str, port: int) -> list[str]:
    """The host's addresses in the resolver's order."""
    found = await asyncio.get_running_loop().run_in_executor(
        _resolvers, partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedTransport(httpx.AsyncBaseTransport):
    """Connects to the very addresses that were checked: a name cannot change its mind in between."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, allow_private: bool) -> None:
        self._inner = inner
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the first address that accepts a connection."""
        host = request.url.host
        addresses = await _resolve(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        if not self._allow_private:
            for address in addresses:
                if not is_public(address):
                    raise RefusedAddress(f"{host} is {address}, a private or loopback address")
        request.extensions = {**request.extensions, "sni_hostname": host}
        problem: httpx.HTTPError = httpx.ConnectError(f"{host} has no address")
        for address in addresses:
            request.url = request.url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = error
        raise problem

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


async def _post(url: str, body: bytes, headers: dict[str, str], *, allow_private: bool) -> Outcome:
    inner = httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False)
    transport = PinnedTransport(inner, allow_private=allow_private)
    # No proxy from the environment: it would resolve the name again, unchecked.
    async with (
        httpx.AsyncClient(
            transport=transport, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        ) as client,
        client.stream("POST", url, content=body, headers=headers) as response,
    ):
        excerpt = bytearray()
        try:
            async with asyncio.timeout(EXCERPT_S):
                async for chunk in response.aiter_raw():  # raw: a small body must not unpack into a large one
                    excerpt += chunk
                    if len(excerpt) >= EXCERPT_BYTES:
                        break
        except (httpx.HTTPError, TimeoutError):
            pass  # the status line is the answer; what follows is only shown
        text = bytes(excerpt[:EXCERPT_BYTES]).decode("utf-8", "replace").replace("\x00", "\ufffd")
        return Outcome(
            None if response.is_success else f"HTTP {response.status_code}", response.status_code, text
        )


async def _send(url: str, body: bytes, headers: dict[str, str], *, allow_private: bool) -> Outcome:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _post(url, body, headers, allow_private=allow_private)
    except TimeoutError:
        return Outcome(f"Timeout: no answer within {TIMEOUT_S:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, RefusedAddress, OSError, UnicodeError) as error:
        return Outcome(f"{type(error).__name__}: {error}"[:500])


def send(url: str, body: bytes, headers: dict[str, str], *, allow_private: bool) -> Outcome:
    """POST the body once, within ``TIMEOUT_S``. Never raises for what the receiver or the network does.

    Redirects are not followed (a 3xx is a failure). On a thread without an event loop.
    """
    headers = {"Accept-Encoding": "identity", **headers}
    return asyncio.run(_send(url, body, headers, allow_private=allow_private))
