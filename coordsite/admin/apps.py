"""Django's admin app with coord's site."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class CoordAdminConfig(AdminConfig):
    """Makes :class:`coordsite.admin.site.Site` what ``django.contrib.admin.site`` is."""

    default = False
    default_site = "coordsite.admin.site.Site"
