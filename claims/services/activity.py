"""Signs of life: any authenticated call that names a session renews the idle time of its claims."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from claims.locks import idle_cutoff
from claims.models import Claim, Repository
from common.caller import SYSTEM, Caller
from common.rows import marks, stored

_MOST_REMEMBERED = 10_000
_RENEW = (
    f"UPDATE {Claim._meta.db_table} SET last_activity = %s WHERE session_id IN ({{}})"
    " AND released_at IS NULL AND last_activity > %s AND last_activity < %s"
)
_ENGINEER = " AND engineer = %s"
_REPOSITORIES = f" AND repository_id IN (SELECT id FROM {Repository._meta.db_table} WHERE name IN ({{}}))"
_Noted = tuple[str, str | None, frozenset[str] | None]
_noted: dict[_Noted, datetime] = {}


def coalescing() -> timedelta:
    """Signs of life closer together than this are one: a tenth of the idle time, 30 s at most."""
    return timedelta(seconds=min(30.0, settings.COORD.idle_timeout_sec / 10))


def note_life(session_ids: Sequence[str], now: datetime, caller: Caller = SYSTEM) -> None:
    """Renew the idle time of the sessions' live claims; at most one write per session and process in the
    coalescing time. Never revives a claim whose idle time has already run out. No event.

    A caller that is bound to an engineer or to repositories renews only those claims, one that may only
    read renews none.
    """
    if not caller.acts:
        return
    recent, engineer, repositories = now - coalescing(), caller.bound_engineer, caller.repositories
    keys = [(session, engineer, repositories) for session in dict.fromkeys(session_ids)]
    due = [key for key in keys if not _is_recent(key, recent, now)]
    if not due:
        return
    sql = _RENEW.format(marks(due))
    values: list[Any] = [stored(now), *(key[0] for key in due), stored(idle_cutoff(now)), stored(now)]
    if engineer is not None:
        sql, values = sql + _ENGINEER, [*values, engineer]
    if repositories is not None:
        sql, values = sql + _REPOSITORIES.format(marks(repositories)), [*values, *repositories]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    if len(_noted) > _MOST_REMEMBERED:
        _noted.clear()
    _noted.update(dict.fromkeys(due, now))


def forget() -> None:
    """Forget which sessions this process has noted (another database, another clock)."""
    _noted.clear()


def _is_recent(key: _Noted, recent: datetime, now: datetime) -> bool:
    noted = _noted.get(key)
    return noted is not None and recent < noted <= now
