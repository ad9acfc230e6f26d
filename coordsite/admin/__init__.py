"""The admin site of coord, Django's default site here: apps register with ``@admin.register``."""

from __future__ import annotations


def discover() -> None:
    """Import every app's registrations. The URLs do, so that commands and task workers go without."""
    from django.contrib import admin

    admin.autodiscover()
    from coordsite.admin import tokens  # noqa: F401  (registers itself)
