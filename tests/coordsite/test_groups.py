"""The groups *operator* and *viewer* are there with their permissions."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User

from coordsite.signin import roles

pytestmark = pytest.mark.django_db


def codes(name):
    return set(Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename"))


def test_a_viewer_looks_and_an_operator_acts():
    viewer, operator = codes("viewer"), codes("operator")
    assert viewer < operator
    assert {code.partition("_")[0] for _, code in viewer} == {"view"}
    assert {app for app, _ in operator} == set(roles.APPS)
    assert {
        ("claims", "change_claim"),
        ("webhooks", "change_endpoint"),
        ("coordsite", "add_token"),
    } <= operator
    assert ("claims", "view_claim") in viewer
    every = Permission.objects.filter(content_type__app_label__in=roles.APPS).count()
    assert len(operator) == every


def test_accounts_and_groups_are_the_superusers():
    for name in ("viewer", "operator"):
        account = User.objects.create_user(name, is_staff=True)
        roles.give(account, name)
        assert not account.has_perm("auth.change_user")
        assert not account.has_perm("auth.view_user")


def test_what_an_administrator_added_stays():
    extra = Permission.objects.get(codename="view_user")
    Group.objects.get(name="viewer").permissions.add(extra)
    roles.make_groups()
    assert ("auth", "view_user") in codes("viewer")


def test_a_viewer_sees_the_records_and_no_action(client):
    account = User.objects.create_user("vera", is_staff=True)
    roles.give(account, "viewer")
    client.force_login(account)
    for path in ("claims/claim", "webhooks/event", "coordsite/token", "ownership/revision"):
        assert client.get(f"/admin/{path}/").status_code == 200, path
    assert client.get("/admin/coordsite/token/add/").status_code == 403
    assert client.get("/admin/auth/user/").status_code == 403
