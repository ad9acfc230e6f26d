"""The dashboard behind a proxy that ends TLS: who signs in from its page is let in."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from coordsite.config import load
from coordsite.misconfigured import ConfigError

pytestmark = pytest.mark.django_db
ORIGIN = "https://coord.example"


def sign_in(origin):
    User.objects.create_superuser("olga", password="secret")
    client = Client(enforce_csrf_checks=True)
    page = client.get("/admin/login/", headers={"Host": "coord.example"})
    token = page.context["csrf_token"]
    form = {"username": "olga", "password": "secret", "csrfmiddlewaretoken": str(token)}
    return client.post("/admin/login/", form, headers={"Host": "coord.example", "Origin": origin})


def test_it_lets_in_from_a_trusted_origin(settings):
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    assert sign_in(ORIGIN).status_code == 302


def test_it_refuses_another_origin(settings):
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    assert sign_in("https://evil.example").status_code == 403


def test_it_trusts_none_unless_told(settings):
    assert settings.CSRF_TRUSTED_ORIGINS == []
    assert settings.SESSION_COOKIE_SECURE is False
    assert sign_in(ORIGIN).status_code == 403


@pytest.mark.parametrize("name", ["COORD_TRUSTED_ORIGINS", "COORD_MCP_ALLOWED_ORIGINS"])
@pytest.mark.parametrize(
    "value", ["coord.example", "https://a.example, ftp://b", "https://a/path", "http://["]
)
def test_it_refuses_what_is_no_origin(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name}=.*: allowed: origins such as https://coord.example"):
        load()
