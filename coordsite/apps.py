"""The ``coordsite`` app."""

from __future__ import annotations

from django.apps import AppConfig


class CoordsiteConfig(AppConfig):
    """The site: settings, URLs, ASGI, authentication, admin, supervision and the ``coord`` entry points."""

    name = "coordsite"
    verbose_name = "coord"
