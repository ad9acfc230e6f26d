"""The ``coordsite`` app."""

from __future__ import annotations

from django.apps import AppConfig


class CoordsiteConfig(AppConfig):
    """The site: settings, URLs, ASGI, authentication, admin, supervision and the ``coord`` entry points."""

    name = "coordsite"
    verbose_name = "coord"

    def ready(self) -> None:
        """Keep the groups, and on record who signed in."""
        from django.contrib.auth.signals import user_logged_in
        from django.db.models.signals import post_migrate

        from coordsite.signin import recording, roles

        post_migrate.connect(roles.make_groups, sender=self)
        user_logged_in.connect(recording.signed_in)
