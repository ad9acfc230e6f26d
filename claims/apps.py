"""The ``claims`` app."""

from __future__ import annotations

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    """The core domain: patterns, overlap, claims, leases, release requests and the inbox."""

    name = "claims"
    verbose_name = "Claims"
