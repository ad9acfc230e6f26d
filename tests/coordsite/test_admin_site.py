"""The admin site: what it serves to whom, before anything is on the dashboard."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model

from coordsite.admin.site import Site

pytestmark = pytest.mark.django_db


def test_it_is_djangos_default_site():
    assert isinstance(admin.site._wrapped, Site)


@pytest.mark.parametrize("path", ["/admin/", "/dashboard", "/admin/records/"])
def test_it_asks_strangers_to_sign_in(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={path}"


@pytest.mark.parametrize("path", ["/admin/", "/dashboard"])
def test_it_serves_the_dashboard_at_both_addresses(admin_client, path):
    response = admin_client.get(path)
    assert response.status_code == 200
    assert "dashboard/page.html" in [template.name for template in response.templates]


def test_it_lists_the_records(admin_client):
    response = admin_client.get("/admin/records/")
    assert b'href="/admin/webhooks/event/"' in response.content


def test_it_shows_only_staff(client):
    client.force_login(get_user_model().objects.create_user("carol"))
    assert client.get("/dashboard").status_code == 302
