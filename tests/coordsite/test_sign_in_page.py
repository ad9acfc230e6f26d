"""Signing in with a password or a token; what a session is, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from pydantic import SecretStr

from common.caller import SYSTEM
from coordsite.models import Token
from coordsite.tokens.services import revoke_token, rotate_token
from tests.conftest import TOKEN
from tests.coordsite.signing import Browser, raw_of
from webhooks.models import Event

pytestmark = pytest.mark.django_db
PASSWORD = "a long passphrase"


@pytest.fixture
def olga():
    return User.objects.create_user("olga", password=PASSWORD, is_staff=True)


def test_it_takes_a_password(olga):
    browser = Browser()
    assert browser.password("olga", "wrong").status_code == 200
    assert browser.who() == ""
    assert browser.password("olga", PASSWORD)["Location"] == "/admin/"
    assert browser.who() == "olga"
    assert Event.objects.get().detail["how"] == "login"


def test_it_takes_no_account_without_admin(olga):
    User.objects.update(is_staff=False)
    assert Browser().password("olga", PASSWORD).status_code == 200


@pytest.mark.parametrize(("role", "may"), [("operator", True), ("viewer", False)])
def test_it_takes_a_token(person, role, may):
    alice = person("alice", role=role)
    browser = Browser()
    answer = browser.token(raw_of(alice), next="/admin/records/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/records/")
    assert browser.who() == "alice"
    account = User.objects.get()
    assert account.username == f"alice ({alice.token.prefix})"
    assert list(account.groups.values_list("name", flat=True)) == [role]
    assert account.has_perm("claims.change_claim") is may
    assert account.has_perm("claims.view_claim") is True
    assert not account.is_superuser
    event = Event.objects.get(event_type="operator_action")
    assert (event.operator, event.detail["how"]) == (account.username, "token")
    again = Browser()
    again.token(raw_of(alice))
    assert User.objects.count() == 1


def test_the_cookie_is_not_the_token(person):
    browser, raw = Browser(), raw_of(person("alice", role="viewer"))
    browser.token(raw)
    cookie = browser.cookies["coord_session"]
    assert raw not in cookie.value
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 28_800)
    for row in Session.objects.all():
        assert raw not in str(row.get_decoded())


@pytest.mark.parametrize(
    "fields",
    [{"role": "agent"}, {"role": "ci"}, {"role": "operator", "repositories": ["org/app"]}],
)
def test_it_refuses_a_token_that_may_not(person, fields):
    browser = Browser()
    assert browser.token(raw_of(person("alice", **fields)))["Location"] == "/admin/login/"
    assert browser.who() == ""
    other = Browser()
    other.token(raw_of(person("bob", **fields)))
    assert other.told()[0].startswith("This token cannot sign in.")
    assert not User.objects.exists()


@pytest.mark.parametrize("raw", ["wrong", "coordt_" + "0" * 64, "x" * 5000])
def test_it_refuses_an_unknown_token(raw):
    browser = Browser()
    assert browser.token(raw)["Location"] == "/admin/login/"
    assert browser.who() == ""


@pytest.mark.parametrize("end", ["revoke", "expire", "rotate"])
def test_a_session_ends_with_its_token(person, clock, end):
    alice = person("alice", role="operator", expires_in=timedelta(hours=1))
    browser = Browser()
    browser.token(raw_of(alice))
    assert browser.who() == "alice"
    if end == "revoke":
        revoke_token(caller=SYSTEM, token_id=alice.token.id)
    elif end == "rotate":
        rotate_token(caller=SYSTEM, token_id=alice.token.id, grace=timedelta(0))
    else:
        clock.advance(3600)
    assert browser.who() == ""


def test_it_takes_the_shared_token(config):
    browser = Browser()
    browser.token(TOKEN)
    assert browser.who() == "shared-token"
    assert User.objects.get().has_perm("claims.change_claim")
    assert Browser().password("shared-token", TOKEN).status_code == 200
    config(auth_token=SecretStr("another"))
    assert browser.who() == ""
    config(auth_token=SecretStr(TOKEN), require_per_engineer_token=True)
    assert browser.who() == ""
    assert Browser().token(TOKEN)["Location"] == "/admin/login/"


def test_a_token_opens_no_account_of_the_same_name(person, olga):
    browser = Browser()
    browser.token(raw_of(person("olga", role="viewer")))
    assert User.objects.count() == 2
    assert browser.get("/admin/auth/user/").status_code == 403


def test_it_never_leads_to_another_site(person):
    raw = raw_of(person("alice", role="viewer"))
    assert Browser().token(raw, next="https://evil.example/")["Location"] == "/admin/"
    assert Browser().token(raw, next="//evil.example/")["Location"] == "/admin/"


def test_it_needs_a_form_of_its_own():
    browser = Browser()
    assert browser.post("/admin/signin/token", {"token": TOKEN}).status_code == 403
    assert browser.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 403
    assert browser.get("/admin/signin/token").status_code == 405


def test_a_new_session_begins_at_sign_in(olga):
    browser = Browser()
    browser.get("/admin/")
    browser.cookies["coord_session"] = "a" * 32
    browser.password("olga", PASSWORD)
    assert browser.cookies["coord_session"].value != "a" * 32
    assert browser.who() == "olga"


class TestThrottling:
    """After too many failures an address or an account waits."""

    @pytest.fixture(autouse=True)
    def _few(self, settings):
        settings.AXES_FAILURE_LIMIT = 3

    def fail(self, times, username="olga", address="10.0.0.1"):
        return [
            Browser(REMOTE_ADDR=address).password(username, f"wrong {n}").status_code for n in range(times)
        ]

    def test_an_address_waits(self, olga):
        assert self.fail(3, username="someone") == [200, 200, 429]
        answer = Browser(REMOTE_ADDR="10.0.0.1").password("olga", PASSWORD)
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        assert b"Wait 15 minutes" in answer.content
        assert Browser(REMOTE_ADDR="10.0.0.2").password("olga", PASSWORD)["Location"] == "/admin/"

    def test_an_account_waits(self, olga):
        for n in range(3):
            self.fail(1, address=f"10.0.1.{n}")
        assert Browser(REMOTE_ADDR="10.0.2.1").password("olga", PASSWORD).status_code == 429
        User.objects.create_user("petra", password=PASSWORD, is_staff=True)
        assert Browser(REMOTE_ADDR="10.0.2.1").password("petra", PASSWORD)["Location"] == "/admin/"

    def test_the_wait_ends(self, olga):
        self.fail(3)
        AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(seconds=901))
        assert Browser(REMOTE_ADDR="10.0.0.1").password("olga", PASSWORD)["Location"] == "/admin/"

    def test_a_success_forgives_nothing(self, olga):
        self.fail(2, username="root")
        Browser(REMOTE_ADDR="10.0.0.1").password("olga", PASSWORD)
        assert self.fail(1, username="root") == [429]

    def test_tokens_count_by_address(self, person):
        raw = raw_of(person("alice", role="viewer"))
        answers = [Browser(REMOTE_ADDR="10.0.0.1").token(f"wrong {n}").status_code for n in range(3)]
        assert answers == [302, 302, 429]
        assert Browser(REMOTE_ADDR="10.0.0.1").token(raw).status_code == 429
        assert Browser(REMOTE_ADDR="10.0.0.2").token(raw)["Location"] == "/admin/"

    def test_no_secret_is_kept_of_a_failure(self, olga, person):
        raw = raw_of(person("alice"))
        Browser().token(raw)
        Browser().password("olga", "a mistyped passphrase")
        assert AccessAttempt.objects.count() == 2
        kept = " ".join(str(value) for row in AccessAttempt.objects.values() for value in row.values())
        assert raw not in kept
        assert "mistyped" not in kept

    def test_the_address_is_what_a_trusted_proxy_says(self, olga, config):
        forged = {"HTTP_X_FORWARDED_FOR": "1.2.3.4, 10.9.9.9"}
        for _ in range(2):
            Browser(REMOTE_ADDR="10.0.0.1", **forged).password("x", "y")
        assert AccessAttempt.objects.get().ip_address == "10.0.0.1"
        config(trusted_proxies=1)
        Browser(REMOTE_ADDR="10.0.0.1", **forged).password("x", "y")
        assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"10.0.0.1", "10.9.9.9"}
        config(trusted_proxies=2)
        Browser(REMOTE_ADDR="10.0.0.1", **forged).password("z", "y")
        assert AccessAttempt.objects.filter(ip_address="1.2.3.4").exists()


def test_tokens_of_one_engineer_have_accounts_of_their_own(person):
    for _ in range(2):
        Browser().token(raw_of(person("alice", role="viewer")))
    assert Token.objects.filter(account__isnull=False).count() == 2
