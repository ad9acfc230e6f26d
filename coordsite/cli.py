"""The entry points ``coord`` and ``coord-api``."""

from __future__ import annotations

import os


def api() -> int:
    """``coord-api``: the web process alone, with the settings of the environment. 3: authentication unset."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
    from coordsite.server import main as serve

    return serve()
