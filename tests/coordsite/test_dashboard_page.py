"""The dashboard's page: what it shows to whom."""

from __future__ import annotations

import pytest
from actors import Actor
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from coordsite.dashboard.panels import PANELS

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    """Sign a member of staff in who has these permissions: ``staff("claims.view_claim")``."""

    def sign_in(*permissions):
        user = get_user_model().objects.create_user("victor", is_staff=True)
        names = [permission.split(".")[1] for permission in permissions]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)
        return client

    return sign_in


def panels_of(response):
    return [one.panel.name for one in response.context["drawn"]]


def panel(response, name):
    return next(one.html for one in response.context["drawn"] if one.panel.name == name)


def test_it_shows_every_panel_of_an_empty_service(admin_client):
    response = admin_client.get("/dashboard")
    assert panels_of(response) == [one.name for one in PANELS]
    assert "Nobody holds anything" in panel(response, "claims")
    assert "Nothing needs you" in panel(response, "attention")
    assert "Nobody waits." in panel(response, "queue")


def test_it_shows_only_the_panels_that_one_may_see(staff):
    response = staff("claims.view_claim", "queueing.view_ticket").get("/dashboard")
    assert set(panels_of(response)) == {
        *("headline", "attention", "claims", "graph", "queue", "modules", "timeline", "repositories")
    }


def test_it_says_so_when_one_may_see_nothing(staff):
    response = staff().get("/dashboard")
    assert panels_of(response) == []
    assert b"may not see any panel" in response.content


def test_it_tells_whose_move_it_is(admin_client, clock):
    Actor("alice").hold("src/**", type="module")
    clock.advance(60)
    Actor("bob").queue("src/app.py")
    response = admin_client.get("/dashboard")
    attention = panel(response, "attention")
    assert "others wait" in attention
    assert "<b>alice</b>" in attention
    assert "bob waits" in attention
    assert "bob waits" in panel(response, "claims")
    queue = panel(response, "queue")
    assert "<b>bob</b> wants" in queue
    assert "held by <b>alice</b>" in queue
    graph = panel(response, "graph")
    assert "bob (sessi…) waits for alice (sessio…): src/**" in graph


def test_it_filters_by_repository_engineer_and_text(admin_client):
    Actor("alice", "org/app").hold("src/one.py")
    Actor("bob", "org/other").hold("src/two.py")
    Actor("carol", "").hold("src/three.py")

    def shown(query):
        html = panel(admin_client.get(f"/dashboard?{query}"), "claims")
        return [name for name in ("one", "two", "three") if f"src/{name}.py" in html]

    assert shown("") == ["one", "two", "three"]
    assert shown("repo=org/app") == ["one"]
    assert shown("repo=(none)") == ["three"]
    assert shown("engineer=bob") == ["two"]
    assert shown("q=TWO") == ["two"]
    assert shown("q=two&engineer=alice") == []


def test_it_escapes_what_agents_write(admin_client):
    Actor("<script>alert(1)</script>").hold("src/a.py", description="<img src=x onerror=alert(1)>")
    html = admin_client.get("/dashboard?q=<script>").content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_it_gives_the_panels_to_a_page_without_a_websocket(staff):
    Actor("alice").hold("src/a.py")
    client = staff("claims.view_claim")
    body = client.get("/admin/panels/?repo=org/app").json()
    page = client.get("/dashboard?repo=org/app")
    assert "hotspots" not in body["panels"]
    assert body["panels"]["claims"]["tag"] == next(
        one.tag for one in page.context["drawn"] if one.panel.name == "claims"
    )
    assert "src/a.py" in body["panels"]["claims"]["html"]


def test_it_asks_strangers_for_the_panels_to_sign_in(client):
    assert client.get("/admin/panels/").status_code == 302


def busy(claims):
    """A service with so many claims, tickets, refusals, requests and repositories."""
    for n in range(claims):
        repo = f"org/app{n % 3}"
        Actor(f"holder{n}", repo).hold(f"src/{n}.py")
        Actor(f"waiter{n}", repo).queue(f"src/{n}.py")
        Actor(f"refused{n}", repo).ask(f"src/{n}.py")


def test_it_asks_a_bounded_number_of_queries(admin_client, django_assert_max_num_queries):
    busy(3)
    admin_client.get("/dashboard")
    with django_assert_max_num_queries(60):
        admin_client.get("/dashboard")
    busy(30)
    with django_assert_max_num_queries(90):
        response = admin_client.get("/dashboard")
    assert "of 30" in panel(response, "claims") or "30" in panel(response, "headline")


def test_it_cuts_every_list(admin_client):
    busy(45)
    response = admin_client.get("/dashboard")
    assert panel(response, "claims").count("<tr data-key") == 30
    assert panel(response, "conflicts").count("<li data-key") == 20
    assert panel(response, "timeline").count('<div class="strip" data-key') == 15
    assert panel(response, "queue").count("<li value") <= 20
    assert "30 of 45" in panel(response, "claims")


def test_it_shows_a_claims_life_on_its_page(admin_client, clock):
    held = Actor("alice").hold("src/a.py")
    clock.advance(600)
    Actor("alice").release(held)
    html = admin_client.get(f"/admin/claims/claim/{held.claims[0].id}/change/").content.decode()
    assert "Its life" in html
    assert "<title>1. claim granted, alice, 23 Nov 12:00:00 UTC</title>" in html
    assert "<title>2. claim released, alice, 23 Nov 12:10:00 UTC</title>" in html
    assert "held 10 min, ended 23 Nov 12:10 UTC" in html
