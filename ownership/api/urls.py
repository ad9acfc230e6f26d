"""The paths of the ownership document and of hotspots, to be included at the root."""

from __future__ import annotations

from django.urls import path

from ownership.api import views

urlpatterns = [
    path("config/ownership", views.OwnershipDocument.as_view()),
    path("config/ownership/revisions", views.Revisions.as_view()),
    path("config/ownership/revisions/<int:revision_id>", views.RevisionDetail.as_view()),
    path("metrics/hotspots", views.Hotspots.as_view()),
    path("metrics/hotspots/promote", views.Promote.as_view()),
]
