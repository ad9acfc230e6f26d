"""The ``claims`` app."""

from __future__ import annotations

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    """The core domain: patterns, overlap, claims, leases, release requests and the inbox."""

    name = "claims"
    verbose_name = "Claims"

    def ready(self) -> None:
        """Say how tickets look: what they wait for are claims."""
        from claims.selectors.inbox import ticket_entry
        from queueing.describing import describe_with

        describe_with(ticket_entry)
