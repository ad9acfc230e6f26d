"""The groups *operator* and *viewer*, and what each may do in admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet

OPERATOR, VIEWER = "operator", "viewer"
APPS = ("claims", "queueing", "ownership", "webhooks", "coordsite")
"""The apps whose records both see."""


def permissions_of(group: str) -> QuerySet[Permission]:
    """What the group may do: operators everything with the records of this service, viewers look."""
    own = Permission.objects.filter(content_type__app_label__in=APPS)
    return own if group == OPERATOR else own.filter(codename__startswith="view_")


def make_groups(**_: Any) -> None:
    """Make both groups and give them their permissions; others that an administrator added stay."""
    for name in (OPERATOR, VIEWER):
        group, _made = Group.objects.get_or_create(name=name)
        group.permissions.add(*permissions_of(name))


def give(account: Any, group: str) -> None:
    """Make the account a member of this one of the two groups."""
    account.groups.set(Group.objects.filter(name=group))
