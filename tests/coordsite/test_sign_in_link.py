"""One-time links, and the first operator's."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from common.caller import SYSTEM
from common.errors import NotFound
from coordsite.models import SignInLink
from coordsite.signin import services
from tests.coordsite.signing import Browser
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga():
    return User.objects.create_user("olga", password="a long passphrase", is_staff=True)


def link(username="olga"):
    return services.make_link(caller=SYSTEM, username=username)


def test_it_signs_in_once(clock, olga):
    path = link()
    browser = Browser()
    answer = browser.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert browser.who() == "olga"
    other = Browser()
    assert other.get(path)["Location"] == "/admin/login/"
    assert other.who() == ""
    assert Browser().get(path)["Location"] == "/admin/login/"
    other = Browser()
    other.get(path)
    assert other.told() == ["This link was used or has run out. coord signin prints a new one."]
    event = Event.objects.get(event_type="operator_action")
    assert (event.operator, event.detail["how"], event.detail["address"]) == ("olga", "link", "127.0.0.1")


def test_it_runs_out(clock, olga, config):
    config(signin_link_sec=60)
    early, late = link(), None
    clock.advance(59)
    assert Browser().get(early)["Location"] == "/admin/"
    late = link()
    clock.advance(60)
    assert Browser().get(late)["Location"] == "/admin/login/"


def test_a_new_link_ends_the_one_before(olga):
    first, second = link(), link()
    assert Browser().get(first)["Location"] == "/admin/login/"
    assert Browser().get(second)["Location"] == "/admin/"


def test_it_is_not_kept(olga):
    path = link()
    raw = path.rpartition("/")[2]
    assert len(raw) == 43
    row = SignInLink.objects.get()
    assert raw not in str(vars(row))
    for wrong in (raw[:-1], raw[::-1], f"{raw}=", f"{raw}%20"):
        assert Browser().get(f"/admin/signin/link/{wrong}")["Location"] == "/admin/login/"
    assert SignInLink.objects.get().used_at is None
    assert Browser().get(path)["Location"] == "/admin/"


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_it_leads_into_no_closed_account(olga, change):
    path = link()
    User.objects.update(**change)
    assert Browser().get(path)["Location"] == "/admin/login/"
    with pytest.raises(NotFound):
        link()


def test_the_first_operator_is_made_once(db):
    assert services.first_link()
    path = services.first_link()
    account = User.objects.get()
    assert (account.username, account.is_superuser, account.has_usable_password()) == (
        "operator",
        True,
        False,
    )
    assert list(account.groups.values_list("name", flat=True)) == ["operator"]
    browser = Browser()
    assert browser.get(path)["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
    assert browser.who() == "operator"
    assert services.first_link() is None


def test_there_is_no_first_operator_beside_others(olga):
    User.objects.update(last_login="2026-01-01T00:00:00Z")
    assert services.first_link() is None
    assert User.objects.count() == 1


def test_there_is_no_first_link_into_an_account_with_a_password(db):
    User.objects.create_superuser("root", password="a long passphrase")
    assert services.first_link() is None
    assert not SignInLink.objects.exists()


def test_the_command_prints_a_link(olga, config):
    out = StringIO()
    call_command("signin", "olga", "--url", "http://coord.test:9000/", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["expires_in_s"] == 900
    assert said["url"].startswith("http://coord.test:9000/admin/signin/link/")
    assert Browser().get(said["url"].removeprefix("http://coord.test:9000"))["Location"] == "/admin/"
    out = StringIO()
    call_command("signin", "olga", stdout=out)
    assert out.getvalue().startswith("http://127.0.0.1:8080/admin/signin/link/")
    with pytest.raises(CommandError, match="'nobody' is no account"):
        call_command("signin", "nobody")
