"""What has run out and waits to be carried out."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from claims.locks import idle_cutoff
from claims.models import Claim
from queueing.models import IN_LINE, Ticket
from queueing.selectors import present


def anything_overdue(now: datetime) -> bool:
    """Whether any lease, idle time, offer or wait has run out somewhere. Two look-ups, no lock."""
    idle = Q(last_activity__isnull=False, last_activity__lte=idle_cutoff(now))
    if Claim.objects.filter(Q(expires_at__lte=now) | idle, released_at__isnull=True).exists():
        return True
    return Ticket.objects.filter(state__in=IN_LINE).exclude(present(now)).exists()
