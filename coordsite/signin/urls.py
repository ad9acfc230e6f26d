"""The ways in, under ``/admin/signin/``."""

from __future__ import annotations

from django.urls import path

from coordsite.signin import views

app_name = "signin"
urlpatterns = [
    path("token", views.TokenEntrance.as_view(), name="token"),
    path("link/<str:link>", views.LinkEntrance.as_view(), name="link"),
    path("oidc", views.ProviderEntrance.as_view(), name="oidc"),
    path("oidc/callback", views.ProviderReturn.as_view(), name="oidc-return"),
]
