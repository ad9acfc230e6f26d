"""What the texts among the settings must look like: each rule returns what is allowed, or ``None``."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from claims.names import BadRepo, fold_repo
from common.errors import Invalid
from webhooks.addresses import check_url
from webhooks.types import EventType

DATABASES = ("postgres", "postgresql", "pgsql", "sqlite")


def database_url(text: str) -> str | None:
    """A database that coord runs on."""
    parts = _split(text)
    if parts is None or parts.scheme not in DATABASES:
        return "postgresql://user:password@host:port/name or sqlite:///path"
    return None


def redis_url(text: str) -> str | None:
    """A server of the Redis protocol."""
    parts = _split(text)
    known = parts is not None and parts.scheme in ("redis", "rediss", "unix")
    return None if known else "redis://host:port/number, rediss://… or unix://path"


def repo_id(text: str) -> str | None:
    """A repository id."""
    try:
        fold_repo(text)
    except BadRepo:
        return "a repository id such as owner/name"
    return None


def webhook_url(text: str) -> str | None:
    """Where deliveries can go; whether the address may be private is decided when one is sent."""
    try:
        check_url(text, allow_private=True)
    except Invalid as error:
        return f"an http or https URL ({error.detail.removeprefix('url: ')})"
    return None


def webhook_events(text: str) -> str | None:
    """Names of events."""
    known = {str(kind) for kind in EventType}
    wrong = [name for name in (part.strip() for part in text.split(",")) if name and name not in known]
    return f"event types such as claim_granted, comma separated, not {wrong[0]!r}" if wrong else None


def trusted_origins(text: str) -> str | None:
    """Origins, not whole URLs."""
    for one in filter(None, (part.strip() for part in text.split(","))):
        parts = _split(one)
        if (
            parts is None
            or parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.path.strip("/")
        ):
            return f"origins such as https://coord.example, comma separated, not {one[:60]!r}"
    return None


def auth_token(text: str) -> str | None:
    """A token that a header can carry."""
    if text.split() == [text] and text.isprintable():
        return None
    return "text without blanks and control characters"


def public_url(text: str) -> str | None:
    """The root of a web site."""
    parts = _split(text)
    known = parts is not None and parts.scheme in ("http", "https") and parts.hostname
    bare = (
        parts is not None
        and parts.path in ("", "/")
        and not (parts.query or parts.fragment or parts.username)
    )
    return None if known and bare else "https://host or http://host:port, without a path"


def oidc_issuer(text: str) -> str | None:
    """A provider that can be trusted: over https, or on this machine."""
    parts = _split(text)
    if parts is None or not parts.hostname or not is_safe_url(text):
        return "an https URL (http on this machine alone)"
    return None


def is_safe_url(text: str) -> bool:
    """Whether what is said to this URL cannot be read or changed on the way."""
    parts = _split(text)
    if parts is None:
        return False
    loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and loopback)


RULES = {
    rule.__name__: rule
    for rule in (
        database_url,
        redis_url,
        repo_id,
        webhook_url,
        webhook_events,
        trusted_origins,
        auth_token,
        public_url,
        oidc_issuer,
    )
}
RULES["mcp_allowed_origins"] = trusted_origins
"""The rule of each setting that has one, by the setting's name."""


def _split(text: str) -> SplitResult | None:
    """The URL's parts; ``None`` for what is none. The port, which is checked late, included."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts
