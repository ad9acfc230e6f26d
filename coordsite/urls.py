"""The URL map: what the service says about itself, each app's API, and the admin site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from coordsite import views
from coordsite.admin import discover
from coordsite.hooks.views import ClaudeHook, CodexHook, CursorHook

discover()

handler400 = "coordsite.exceptions.bad_request"
handler404 = "coordsite.exceptions.not_found"
handler500 = "coordsite.exceptions.server_error"

urlpatterns = [
    path("health", views.health),
    path("readyz", views.readyz),
    path("meta", views.meta),
    path("metrics", views.metrics_page),
    path("openapi.json", views.openapi),
    path("docs", views.docs),
    path("redoc", views.redoc),
    path("hooks/claude", ClaudeHook.as_view()),
    path("hooks/codex", CodexHook.as_view()),
    path("hooks/cursor", CursorHook.as_view()),
    path("", include("claims.api.urls")),
    path("", include("ownership.api.urls")),
    path("", include("webhooks.api.urls")),
    path("", include("coordsite.tokens.urls")),
    path("dashboard", admin.site.admin_view(admin.site.index)),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/signin/", include("coordsite.signin.urls")),
    path("admin/", admin.site.urls),
]
