"""The site: settings, URLs, ASGI, authentication, admin, supervision and the ``coord`` entry points."""
