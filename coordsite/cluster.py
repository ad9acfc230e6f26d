"""The task cluster: django-q2's, ending with its supervisor. ``python -m coordsite.cluster``."""

from __future__ import annotations

import gc
import os
import sys

from coordsite.cli import guarded
from coordsite.supervision import follow_supervisor


def main() -> int:
    """Work on tasks until told to stop; the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordsite.settings")
    follow_supervisor()
    gc.disable()
    import django

    django.setup()
    from django.core.management import call_command

    import webhooks.sending  # noqa: F401  (workers send)

    gc.freeze()  # the workers are forked from here, and share what no collection touches
    gc.enable()
    call_command("qcluster")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
