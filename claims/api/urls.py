"""The claims API's part of the URL map."""

from __future__ import annotations

from django.urls import path

from claims.api.views import checks, claims, requests, sessions
from common.api import as_async_view

urlpatterns = [
    path("claims", as_async_view(claims.ClaimsCollection)),
    path("claims/release", claims.Release.as_view()),
    path("claims/<str:claim_id>", claims.ClaimDetail.as_view()),
    path("claims/<str:claim_id>/extend", claims.Extend.as_view()),
    path("conflicts", checks.Conflicts.as_view()),
    path("conflicts/batch", checks.ConflictsBatch.as_view()),
    path("verify", checks.Verify.as_view()),
    path("repos", checks.Repos.as_view()),
    path("metrics/auto-resolutions", checks.AutoResolutions.as_view()),
    path("sessions/<str:session_id>/release", sessions.SessionRelease.as_view()),
    path("sessions/<str:session_id>/heartbeat", sessions.SessionHeartbeat.as_view()),
    path("sessions/<str:session_id>/pending_requests", sessions.SessionInbox.as_view()),
    path("requests", as_async_view(requests.RequestCollection)),
    path("requests/queue/<str:queue_id>", as_async_view(requests.QueueDetail)),
    path("requests/<str:request_id>", as_async_view(requests.RequestDetail)),
    path("requests/<str:request_id>/events", requests.RequestEvents.as_view()),
    path("requests/<str:request_id>/respond", requests.Respond.as_view()),
]
