"""Signs of life: any authenticated call that names a session renews the idle time of its claims."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from claims.locks import idle_cutoff
from claims.models import Claim

_MOST_REMEMBERED = 10_000
_RENEW = (
    f"UPDATE {Claim._meta.db_table} SET last_activity = %s WHERE session_id IN ({{}})"
    " AND released_at IS NULL AND last_activity > %s AND last_activity < %s"
)
_noted: dict[str, datetime] = {}


def coalescing() -> timedelta:
    """Signs of life closer together than this are one: a tenth of the idle time, 30 s at most."""
    return timedelta(seconds=min(30.0, settings.COORD.idle_timeout_sec / 10))


def note_life(session_ids: Sequence[str], now: datetime) -> None:
    """Renew the idle time of the sessions' live claims; at most one write per session and process in the
    coalescing time. Never revives a claim whose idle time has already run out. No event.
    """
    recent = now - coalescing()
    due = [session for session in dict.fromkeys(session_ids) if not _is_recent(session, recent, now)]
    if not due:
        return
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            _RENEW.format(", ".join(["%s"] * len(due))),
            [adapt(now), *due, adapt(idle_cutoff(now)), adapt(now)],
        )
    if len(_noted) > _MOST_REMEMBERED:
        _noted.clear()
    _noted.update(dict.fromkeys(due, now))


def forget() -> None:
    """Forget which sessions this process has noted (another database, another clock)."""
    _noted.clear()


def _is_recent(session: str, recent: datetime, now: datetime) -> bool:
    noted = _noted.get(session)
    return noted is not None and recent < noted <= now
