"""Entry points of django-q2. Each may run twice, and in two clusters at once."""

from __future__ import annotations

from django.conf import settings

from claims import idempotency
from claims.services import ending


def sweep() -> int:
    """End what is due in every repository and serve the lines; how many claims ended. None where
    ``COORD_DISABLE_BACKGROUND_CLEANUP`` leaves it to another process.
    """
    if settings.COORD.disable_background_cleanup:
        return 0
    return ending.sweep()


def forget_answers() -> int:
    """Delete the stored answers of old idempotency keys; how many."""
    return idempotency.forget_old()
