"""The admin site: its index is the dashboard; the lists of records are one link away."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from coordsite.dashboard import views


class Site(AdminSite):
    """``/admin/``. Every page extends ``templates/admin/base_site.html``."""

    site_title = "coord"
    site_header = "coord"
    index_title = "Dashboard"
    site_url = None
    empty_value_display = "—"
    index_template = "dashboard/page.html"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The dashboard's paths before Django's own."""
        return [
            path("records/", self.admin_view(self.records), name="records"),
            path("panels/", self.admin_view(views.panels), name="panels"),
            path("hotspots/", self.admin_view(partial(views.act, site=self)), name="hotspot"),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard."""
        return views.page(request, self, extra_context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The sign-in page, with every way in that is configured."""
        provider = urlsplit(settings.COORD.oidc_issuer).hostname
        return super().login(request, {"oidc": provider, **(extra_context or {})})

    def records(self, request: HttpRequest) -> HttpResponse:
        """All lists of records that the user may see."""
        context: dict[str, Any] = {
            **self.each_context(request),
            "title": "Records",
            "subtitle": None,
            "site_page": "records",
            "app_list": self.get_app_list(request),
        }
        request.current_app = self.name
        return TemplateResponse(request, "admin/index.html", context)
