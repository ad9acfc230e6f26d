"""Once a day, one line on standard error when the service is newer than this client. Never in the way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

MOST_OFTEN_S = 24 * 3600
TIMEOUT_S = 1.5


def update_notice(installed: Callable[[], str], cwd: str) -> str:
    """The line to print, or ``""``: outside of an initialised repository, asked within a day, switched off
    (``COORD_NO_UPDATE_CHECK``), up to date, or for any fault."""
    if os.environ.get("COORD_NO_UPDATE_CHECK"):
        return ""
    try:
        return _asked(installed, cwd)
    except Exception:  # a courtesy must not break a command
        return ""


def _asked(installed: Callable[[], str], cwd: str) -> str:
    from coordsite.bridge.environment import find_local_env, resolve
    from coordsite.kit.doctor.service import numbers
    from coordsite.kit.service import Service, clean

    if find_local_env(cwd) is None or not _due():
        return ""
    about = Service(resolve(os.environ, cwd).api_url, timeout=TIMEOUT_S).call("GET", "/meta").body
    theirs = clean(str(about.get("version") or ""), 40)
    mine = installed()
    ours, other = numbers(mine), numbers(theirs)
    if not ours or not other or other <= ours:
        return ""
    return f"coord: the service is newer ({theirs}) than this client ({mine}); update, then `coord upgrade`"


def _due() -> bool:
    """Whether the last question is a day old; notes that it is asked now."""
    from coordsite.home import home_here

    home = home_here(os.environ)
    path = home.path / "last_update_check"
    try:
        if 0 <= time.time() - os.stat(path).st_mtime < MOST_OFTEN_S:
            return False
    except OSError:
        home.make()
    with open(path, "w", encoding="utf-8"):
        os.utime(path)
    return True
