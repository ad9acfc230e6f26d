"""OpenID Connect: the authorization code flow with PKCE and a nonce, checked by Authlib.

The state, the nonce and the verifier live in the visitor's session and are used once.
"""

from __future__ import annotations

import threading
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from joserfc.errors import JoseError
from requests.exceptions import RequestException

from coordsite.signin import services
from coordsite.values import is_safe_url

ALGORITHMS = ["RS256", "ES256", "PS256"]
LEEWAY_S = 60
TIMEOUT_S = 10
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Refused(Exception):
    """The visitor cannot come in; the text is for the visitor."""


_lock = threading.Lock()
_known: tuple[tuple[str, ...], Any] | None = None


def begin(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the provider."""
    try:
        response: HttpResponse = _client().authorize_redirect(request, _return_url(request))
    except (AuthlibBaseError, RequestException, ValueError) as error:
        raise Refused("The identity provider does not answer as it should. Try again later.") from error
    return response


def finish(request: HttpRequest) -> Any:
    """The account of whom the provider vouches for. Raises :class:`Refused`."""
    config = settings.COORD
    options = {
        "iss": {"essential": True, "values": [config.oidc_issuer, config.oidc_issuer.rstrip("/") + "/"]},
        "aud": {"essential": True, "value": config.oidc_client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "nonce": {"essential": True},
    }
    try:
        client = _client()
        granted = client.authorize_access_token(request, claims_options=options, leeway=LEEWAY_S)
    except (AuthlibBaseError, JoseError, RequestException, ValueError, KeyError) as error:
        raise Refused(f"The identity provider's answer does not count ({type(error).__name__}).") from error
    claims = granted.get("userinfo")
    if not claims:
        raise Refused("The identity provider's answer does not say who you are.")
    principal = principal_of(claims)
    account = services.account_of_principal(principal, operator=named(config.oidc_operators, principal))
    if account is None:
        raise Refused(f"An account named {principal} exists here and is not the provider's.")
    return account


def principal_of(claims: Any) -> str:
    """The person's name in lower case, if that person may come in. Raises :class:`Refused`."""
    config = settings.COORD
    claim = config.oidc_engineer_claim
    principal = str(claims.get(claim) or "").strip().lower()
    if not principal or not principal.isprintable():
        raise Refused(f"The identity provider does not tell your {claim}.")
    if claim == "email" and str(claims.get("email_verified", True)).lower() == "false":
        raise Refused("The identity provider has not verified your e-mail address.")
    if not config.oidc_allow_any_principal and not named(config.oidc_allowed_principals, principal):
        raise Refused(f"Not among those who may sign in here: {principal}.")
    return principal


def named(listed: str, principal: str) -> bool:
    """Whether a comma separated list of names and @domains has this one."""
    entries = {entry.strip().lower() for entry in listed.split(",") if entry.strip()}
    person, _, domain = principal.rpartition("@")
    if principal.startswith("@"):
        return False
    return principal in entries or (bool(person) and f"@{domain}" in entries)


def _client() -> Any:
    """The client of the configured provider, with the provider's word about itself checked once."""
    global _known
    config = settings.COORD
    key = (config.oidc_issuer, config.oidc_client_id, config.oidc_client_secret.get_secret_value())
    with _lock:
        if _known is None or _known[0] != key:
            _known = (key, _made(*key))
        return _known[1]


def _made(issuer: str, client_id: str, secret: str) -> Any:
    client = OAuth().register(
        "coord",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.COORD.oidc_scopes,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_S,
        },
    )
    metadata = client.load_server_metadata()
    if str(metadata.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise ValueError("the provider names another issuer")
    if not all(is_safe_url(str(metadata.get(name, ""))) for name in ENDPOINTS):
        raise ValueError("the provider names an endpoint without TLS")
    metadata["id_token_signing_alg_values_supported"] = ALGORITHMS
    return client


def _return_url(request: HttpRequest) -> str:
    path = reverse("signin:oidc-return")
    public: str = settings.COORD.public_url
    return public.rstrip("/") + path if public else request.build_absolute_uri(path)
