"""Django's admin app with coord's site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class CoordAdminConfig(SimpleAdminConfig):
    """Makes :class:`coordsite.admin.site.Site` what ``django.contrib.admin.site`` is."""

    default = False
    default_site = "coordsite.admin.site.Site"

    def ready(self) -> None:
        """As Django's, but that its checks find the registrations, which come with the URLs."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_registered, checks.Tags.admin)


def check_registered(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Django's checks of every page that is registered."""
    from coordsite.admin import discover

    discover()
    return check_admin_app(app_configs, **kwargs)
