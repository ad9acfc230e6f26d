"""What has run out and waits to be carried out."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from claims.locks import idle_cutoff
from claims.models import Claim, Repository
from common.rows import stored
from queueing.models import Ticket
from queueing.selectors import PRESENT

_OPEN = f"SELECT 1 FROM {Claim._meta.db_table} c WHERE c.released_at IS NULL"
_OVERDUE = (
    f"SELECT EXISTS ({_OPEN} AND c.expires_at <= %s)"
    # Repository by repository: the index of idle times begins with it.
    f" OR EXISTS (SELECT 1 FROM {Repository._meta.db_table} r WHERE EXISTS"
    f" ({_OPEN} AND c.repository_id = r.id AND c.last_activity IS NOT NULL AND c.last_activity <= %s))"
    f" OR EXISTS (SELECT 1 FROM {Ticket._meta.db_table}"
    f" WHERE state IN ('waiting', 'offered') AND NOT {PRESENT})"
)


def anything_overdue(now: datetime) -> bool:
    """Whether any lease, idle time, offer or wait has run out somewhere. One look-up, no lock."""
    at = stored(now)
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, [at, stored(idle_cutoff(now)), at, at, at])
        return bool(cursor.fetchone()[0])
