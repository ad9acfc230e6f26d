"""Signing in through an OpenID Connect provider, over real HTTP."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from coordsite.signin import oidc
from tests.coordsite.provider import CLIENT, SECRET, Provider
from tests.coordsite.signing import Browser
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(config, monkeypatch):
    monkeypatch.setattr(oidc, "_known", None)
    made = Provider()
    config(
        oidc_issuer=made.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET),
        oidc_allowed_principals="olga@acme.dev, @partner.dev",
        oidc_operators="olga@acme.dev",
    )
    yield made
    made.close()


def sign_in(provider, browser=None, **change):
    """The whole way: off to the provider, agree, and back."""
    browser = browser or Browser()
    leaving = browser.get("/admin/signin/oidc")
    back = provider.authorize(leaving["Location"]) | change
    browser.back = f"/admin/signin/oidc/callback?{urlencode(back)}"
    browser.answer = browser.get(browser.back)
    return browser


def test_it_is_off_by_default(db):
    assert Browser().get("/admin/signin/oidc").status_code == 404
    assert Browser().get("/admin/signin/oidc/callback").status_code == 404
    assert "Sign in with" not in Browser().get("/admin/login/").content.decode()


def test_an_operator_signs_in(provider):
    assert "Sign in with 127.0.0.1" in Browser().get("/admin/login/").content.decode()
    browser = sign_in(provider)
    assert browser.answer["Location"] == "/admin/"
    assert browser.who() == "olga@acme.dev"
    account = User.objects.get()
    assert (account.is_superuser, account.has_usable_password()) == (False, False)
    assert list(account.groups.values_list("name", flat=True)) == ["operator"]
    assert provider.asked == ["/.well-known/openid-configuration", "/token", "/keys"]
    assert Event.objects.get().detail["how"] == "oidc-return"
    sign_in(provider)
    assert User.objects.count() == 1


def test_others_are_viewers(provider, config):
    provider.claims["email"] = "vera@partner.dev"
    sign_in(provider)
    assert list(User.objects.get().groups.values_list("name", flat=True)) == ["viewer"]
    config(oidc_operators="@partner.dev")
    sign_in(provider)
    assert list(User.objects.get().groups.values_list("name", flat=True)) == ["operator"]


def test_it_asks_with_a_state_a_nonce_and_a_challenge_of_its_own(provider):
    asked = [parse_qs(urlsplit(Browser().get("/admin/signin/oidc")["Location"]).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        first, second = (one[name][0] for one in asked)
        assert first != second
        assert len(first) >= 20
    assert asked[0]["scope"] == ["openid email profile"]
    assert asked[0]["redirect_uri"] == ["http://testserver/admin/signin/oidc/callback"]


def test_it_comes_back_to_the_public_url(provider, config):
    config(public_url="https://coord.acme.dev/")
    asked = parse_qs(urlsplit(Browser().get("/admin/signin/oidc")["Location"]).query)
    assert asked["redirect_uri"] == ["https://coord.acme.dev/admin/signin/oidc/callback"]


NOBODY = RSAKey.generate_key(2048, {"kid": "k1"})
LIES = {
    "another nonce": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://evil.example"},
    "another client": {"aud": "somebody-else"},
    "another client, made out to us": {"aud": "somebody-else", "azp": CLIENT},
    "no client": {"aud": None},
    "expired": {"exp": int(time.time()) - 3600},
    "without an end": {"exp": None},
}


@pytest.mark.parametrize("lie", LIES)
def test_it_believes_no_wrong_token(provider, lie):
    provider.change = LIES[lie]
    browser = sign_in(provider)
    assert browser.answer["Location"] == "/admin/login/"
    assert browser.who() == ""
    assert not User.objects.exists()


def test_it_believes_no_other_signature(provider, monkeypatch):
    provider.sign_with = NOBODY
    assert sign_in(provider).who() == ""

    def with_the_secret(form, authorization):
        asked = provider.codes.pop(form["code"])
        now = int(time.time())
        claims = {"iss": provider.issuer, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 300}
        claims |= {"nonce": asked["nonce"], "email": "olga@acme.dev"}
        forged = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": forged}

    monkeypatch.setattr(provider, "grant", with_the_secret)
    assert sign_in(provider).who() == ""
    assert not User.objects.exists()


def test_it_follows_a_new_key(provider):
    sign_in(provider)
    provider.key = provider.sign_with = RSAKey.generate_key(2048, {"kid": "k2"})
    encode = jwt.encode

    def with_its_id(header, claims, key):
        return encode({**header, "kid": "k2"}, claims, key)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jwt, "encode", with_its_id)
        assert sign_in(provider).who() == "olga@acme.dev"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "eve@acme.dev"}, "Not among those who may sign in here: eve@acme.dev."),
        ({"email": "eve@notpartner.dev"}, "Not among those who may sign in here: eve@notpartner.dev."),
        ({"email": "@partner.dev"}, "Not among those who may sign in here: @partner.dev."),
        ({"email_verified": False}, "The identity provider has not verified your e-mail address."),
        ({"email_verified": "false"}, "The identity provider has not verified your e-mail address."),
        ({"email": None}, "The identity provider does not tell your email."),
    ],
)
def test_it_lets_only_named_people_in(provider, claims, said):
    provider.claims |= claims
    browser = sign_in(provider)
    assert browser.answer["Location"] == "/admin/login/"
    assert browser.told() == [said]
    assert not User.objects.exists()


def test_it_may_let_everybody_in(provider, config):
    config(oidc_allow_any_principal=True, oidc_allowed_principals="")
    provider.claims["email"] = "anybody@else.dev"
    assert sign_in(provider).who() == "anybody@else.dev"


def test_a_state_is_used_once_and_only_by_its_browser(provider):
    browser = sign_in(provider)
    again = Browser()
    assert again.get(browser.back)["Location"] == "/admin/login/"
    browser.get("/admin/logout/")
    fresh = sign_in(provider, state="forged")
    assert fresh.who() == ""
    assert Browser().get("/admin/signin/oidc/callback")["Location"] == "/admin/login/"
    denied = Browser()
    assert (
        denied.get("/admin/signin/oidc/callback?error=access_denied&state=x")["Location"] == "/admin/login/"
    )


def test_it_takes_over_no_account_with_a_password(provider):
    User.objects.create_superuser("olga@acme.dev", password="a long passphrase")
    browser = sign_in(provider)
    assert browser.told() == ["An account named olga@acme.dev exists here and is not the provider's."]
    assert browser.who() == ""


def test_it_lets_no_closed_account_in(provider):
    sign_in(provider)
    User.objects.update(is_active=False)
    assert sign_in(provider).who() == ""


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://id.acme.dev/token"},
        {"jwks_uri": "http://id.acme.dev/keys"},
        {"authorization_endpoint": None},
    ],
)
def test_it_trusts_no_provider_that_describes_itself_wrongly(provider, metadata):
    provider.metadata = metadata
    browser = Browser()
    assert browser.get("/admin/signin/oidc")["Location"] == "/admin/login/"
    assert browser.told() == ["The identity provider does not answer as it should. Try again later."]
    provider.metadata = {}
    assert sign_in(provider).who() == "olga@acme.dev"


def test_it_says_when_the_provider_is_away(provider):
    provider.close()
    provider.close = lambda: None
    browser = Browser()
    assert browser.get("/admin/signin/oidc")["Location"] == "/admin/login/"
    assert browser.told() == ["The identity provider does not answer as it should. Try again later."]
