"""The paths of tokens and of identity, to be included at the root."""

from __future__ import annotations

from django.urls import path

from coordsite.tokens import views

urlpatterns = [
    path("tokens", views.TokensView.as_view()),
    path("tokens/<str:token_id>", views.TokenView.as_view()),
    path("tokens/<str:token_id>/rotate", views.RotateTokenView.as_view()),
    path("whoami", views.WhoamiView.as_view()),
]
