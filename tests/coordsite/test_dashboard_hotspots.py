"""The buttons of a hotspot: promote, split, pin."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from ownership.models import Contention, Revision
from ownership.selectors import current_rules, marks
from webhooks.models import Event

pytestmark = pytest.mark.django_db
ASKED = {"pattern": "src/cart.py", "repo": "org/app", "reason": "61 attempts"}
SCRIPT = {"X-Requested-With": "fetch"}


@pytest.fixture
def viewer(client):
    user = get_user_model().objects.create_user("victor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def refused(pattern, times, clock):
    Contention.objects.bulk_create(
        Contention(
            request_uid=f"{pattern}-{n}",
            repo="org/app",
            pattern=pattern,
            attempted_by="bob",
            claim_id="c",
            holder_engineer="alice",
            holder_pattern=pattern,
            created_at=clock(),
        )
        for n in range(times)
    )


@pytest.mark.parametrize(
    ("action", "kind", "mark"),
    [
        ("shared_file", "ownership_edited", "shared"),
        ("split", "ownership_edited", "to be split"),
        ("pin", "pinned", "pinned"),
    ],
)
def test_it_edits_the_document_in_the_operators_name(admin_client, action, kind, mark):
    answer = admin_client.post("/admin/hotspots/", {**ASKED, "action": action}, headers=SCRIPT)
    assert answer.status_code == 200
    assert answer.json()["said"].startswith("'src/cart.py' is ")
    revision = Revision.objects.get()
    assert (revision.author, revision.reason) == ("admin", "61 attempts")
    event = Event.objects.get()
    assert (event.event_type, event.operator) == (kind, "admin")
    assert event.detail["reason"] == "61 attempts"
    assert event.detail["pattern"] == "src/cart.py"
    assert marks().of("src/cart.py") == [mark]
    assert bool(current_rules().shared("org/app")) == (action != "split")


def test_it_says_when_there_was_nothing_to_do(admin_client):
    for said in ("is shared", "was shared already"):
        answer = admin_client.post("/admin/hotspots/", {**ASKED, "action": "shared_file"}, headers=SCRIPT)
        assert answer.json() == {"said": f"'src/cart.py' {said}."}
    assert Revision.objects.count() == 1


def test_it_works_without_the_pages_script(admin_client):
    page = admin_client.get("/admin/hotspots/", {**ASKED, "action": "split"})
    assert b'value="61 attempts"' in page.content
    assert b"csrfmiddlewaretoken" in page.content
    answer = admin_client.post("/admin/hotspots/", {**ASKED, "action": "split"}, follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]
    assert "&#x27;src/cart.py&#x27; is marked to be split." in answer.content.decode()


def test_it_wants_a_reason(admin_client):
    answer = admin_client.post("/admin/hotspots/", {**ASKED, "action": "pin", "reason": " "}, headers=SCRIPT)
    assert answer.status_code == 422
    assert b"This field is required" in answer.content
    assert not Revision.objects.exists()


@pytest.mark.parametrize("pattern", ["../outside", "a/{b,c}", "!x"])
def test_it_shows_why_a_pattern_is_refused(admin_client, pattern):
    asked = {**ASKED, "pattern": pattern, "action": "shared_file"}
    answer = admin_client.post("/admin/hotspots/", asked, headers=SCRIPT)
    assert answer.status_code == 422
    assert b"`pattern`" in answer.content
    assert not Revision.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_refuses_an_unknown_action(admin_client, method):
    answer = getattr(admin_client, method)("/admin/hotspots/", {**ASKED, "action": "delete"})
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_refuses_who_may_only_look(viewer, method):
    answer = getattr(viewer, method)("/admin/hotspots/", {**ASKED, "action": "pin"})
    assert answer.status_code == 403
    assert not Revision.objects.exists()


def test_it_refuses_a_post_of_another_site(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post("/admin/hotspots/", {**ASKED, "action": "pin"}).status_code == 403
    assert not Revision.objects.exists()


def test_it_shows_buttons_to_operators_alone(admin_client, viewer, clock):
    refused("src/cart.py", 50, clock)
    refused("src/quiet.py", 4, clock)
    for client, sees in ((admin_client, True), (viewer, False)):
        html = client.get("/admin/panels/").json()["panels"]["hotspots"]["html"]
        assert "src/cart.py" in html
        assert "split it" in html
        assert "src/quiet.py" not in html
        assert ("data-dialog" in html) == sees
