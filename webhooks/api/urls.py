"""The paths of events, endpoints and deliveries, to be included at the root."""

from __future__ import annotations

from django.urls import path

from common.api import as_async_view
from webhooks.api import views

urlpatterns = [
    path("events", as_async_view(views.EventsView)),
    path("webhooks/endpoints", views.EndpointsView.as_view()),
    path("webhooks/endpoints/<uuid:endpoint_id>", views.EndpointView.as_view()),
    path("webhooks/endpoints/<uuid:endpoint_id>/test", views.EndpointTestView.as_view()),
    path("webhooks/endpoints/<uuid:endpoint_id>/rotate", views.RotateView.as_view()),
    path("webhooks/endpoints/<uuid:endpoint_id>/replay", views.ReplayView.as_view()),
    path("webhooks/deliveries", views.DeliveriesView.as_view()),
    path("webhooks/deliveries/<uuid:delivery_id>", views.DeliveryView.as_view()),
]
