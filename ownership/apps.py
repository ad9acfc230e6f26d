"""The ``ownership`` app."""

from __future__ import annotations

from django.apps import AppConfig


class OwnershipConfig(AppConfig):
    """owners.yaml and its revisions, severity, shared files, the contention log, hotspots, promotion."""

    name = "ownership"
    verbose_name = "Ownership"
