"""Where a delivery may go: URLs and addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from common.errors import Invalid

_NAT64 = ip_network("64:ff9b::/96")
MAX_URL = 2000


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to, if it does."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def is_public(text: str) -> bool:
    """Whether the address is one of the public internet: not private, loopback, link-local or special."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_url(url: str, *, allow_private: bool) -> str:
    """The URL, when deliveries can go there; else ``Invalid``. Names are checked when they are resolved."""
    if len(url) > MAX_URL:
        raise Invalid(f"url: longer than {MAX_URL} characters", next="give a shorter URL")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise Invalid("url: contains spaces or control characters", next="percent-encode them")
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid(f"url: {error}", next="give an http or https URL") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid("url: not an http or https URL", next="give one like https://example.org/hook")
    if parts.username is not None or parts.password is not None:
        raise Invalid("url: holds a user name or password", next="remove it; receivers check the signature")
    if not allow_private and not _may_be_public(host):
        raise Invalid(
            "url: leads to a private or loopback address",
            next="give a public address, or set COORD_WEBHOOK_ALLOW_PRIVATE=true",
        )
    return url


def _may_be_public(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return is_public(host)
    except ValueError:
        return True  # a name: what it resolves to is checked at each delivery
