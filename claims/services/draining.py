"""Serving the line: whenever a scope becomes free, in the transaction that freed it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from operator import attrgetter

from django.db.models import Q

from claims import line
from claims.candidates import Holder
from claims.locks import Locked
from claims.models import Claim, Partnership
from claims.parties import Party
from claims.places import Line, Standing, read_line
from claims.scopes import Item
from claims.verdicts import Question, judge
from claims.waits import Waits, may_be_waited_for
from ownership.selectors import current_rules
from ownership.services import resolve_contention
from patterns import Pattern, parse
from queueing import selectors
from queueing import services as tickets
from queueing.models import IN_LINE, Ticket

MOST_WALLS = 64
"""Claims in the way that one walk remembers."""


def drain(locked: Locked, freed: Iterable[str] | None = None) -> int:
    """Offer to each ticket, in order, that no longer clashes with live claims or an earlier ticket.

    ``freed``: the patterns that became free, when nothing else can have changed; only tickets for those
    are looked at. One walk serves as many as fit; the others stay in line. Ends tickets whose waiter is
    gone. Returns the number of offers. Emits ``queue_offer`` and ``queue_expire``; wakes who is offered
    or ended.
    """
    if not locked.line:
        return 0
    in_line = read_line(locked.name, locked.now, case_insensitive=locked.case_insensitive)
    left = _end_gone(locked, in_line.gone)
    if freed is None:
        candidates: Sequence[Standing] = in_line
    else:
        texts = {*freed, *(text for ticket in left for text in patterns_of(ticket))}
        scopes = (parse(text, case_insensitive=locked.case_insensitive) for text in texts)
        candidates = in_line.meeting(scopes)
    walk = _Walk(locked, in_line)
    for candidate in candidates:
        if not candidate.offered and walk.fits(candidate):
            walk.offer(candidate)
    walk.write()
    return walk.offers


def _end_gone(locked: Locked, gone: Sequence[str]) -> list[Ticket]:
    """Expire the tickets whose waiter is gone, whose wait is over or whose offer was not picked up."""
    ended = []
    for ticket in sorted(selectors.tickets_by_id(gone), key=attrgetter("place")):
        if ticket.state == Ticket.State.OFFERED:
            reason = "offer_lapsed"
        else:
            reason = "timeout" if ticket.expires_at <= locked.now else "gone"
        if tickets.expire(ticket, locked.now, reason):
            resolve_contention(ticket.id, "gave_up")
            ended.append(ticket)
    return ended


def patterns_of(ticket: Ticket) -> list[str]:
    """The patterns that a ticket stands for."""
    return [str(item["pattern"]) for item in ticket.request["items"]]


def repositories_with_a_line() -> list[str]:
    """Repositories in which somebody waits or has an offer that may be over."""
    return list(Ticket.objects.filter(state__in=IN_LINE).values_list("repo", flat=True).distinct())


def new_uid() -> str:
    """An id for one refused request, so that its contention rows count once."""
    return str(uuid.uuid4())


class _Walk:
    """One walk along the line: who may have what, in order. Offers are written together."""

    def __init__(self, locked: Locked, in_line: Line) -> None:
        self.locked = locked
        self.in_line = in_line
        self.offers = 0
        self._at = {one.id: at for at, one in enumerate(in_line)}
        self._ranking = selectors.ranking(locked.now)
        self._offered: list[str] = []
        self._passed: Counter[str] = Counter()
        self._walls: list[tuple[Party, Item]] = []

    @cached_property
    def _shared(self) -> Sequence[Pattern]:
        return current_rules().shared(self.locked.name, case_insensitive=self.locked.case_insensitive)

    def fits(self, candidate: Standing) -> bool:
        """Whether the candidate may have all it asks for now."""
        if self._hits_a_wall(candidate):
            return False
        in_front = next(self._in_front(candidate), None)
        if in_front is not None and not self._may_pass(candidate):
            return False
        return self._is_free(candidate) and not self._lets_somebody_go_first(candidate)

    def _in_front(self, candidate: Standing) -> Iterator[Standing]:
        return self.in_line.any_clashing(candidate.request, before=self._at[candidate.id])

    def _may_pass(self, candidate: Standing) -> bool:
        """Whether all that stand in front of the candidate wait for it."""
        if candidate.id not in self._awaited:
            return False
        before = list(self._in_front(candidate))
        if any(other.offered for other in before):
            return False
        self.write()  # the search reads the database
        waits = Waits(candidate.party, self.locked.now, known=self.in_line)
        return all(waits.includes(other.party) for other in before)

    def _lets_somebody_go_first(self, candidate: Standing) -> bool:
        if candidate.id not in self._awaited:
            return False
        self.write()  # the search reads the database
        clashing = self.in_line.clashing(candidate.request)
        return bool(
            line.must_go_first(candidate.request, clashing, self.locked.now, self.in_line, own=candidate.id)
        )

    def offer(self, candidate: Standing) -> None:
        """Keep for the candidate what it asks for, and note whom it passes: those who came earlier for the
        same and still wait.
        """
        self.offers += 1
        self._offered.append(candidate.id)
        candidate.state = Ticket.State.OFFERED
        candidate.key = self._ranking.key(candidate)
        for other in self.in_line.clashing(candidate.request):
            if not other.offered and other.place < candidate.place:
                self._passed[other.id] += 1
                other.passed_over += 1
                other.level, other.key = self._ranking.level(other), self._ranking.key(other)

    def write(self) -> None:
        """Write what was decided since the last time."""
        if self._offered:
            tickets.offer(self._offered, self.locked.now)
            self._offered.clear()
        for times in set(self._passed.values()):
            tickets.note_passed([key for key, n in self._passed.items() if n == times], times)
        self._passed.clear()

    @cached_property
    def _awaited(self) -> set[str]:
        return may_be_waited_for(self.in_line, self.locked.now)

    def _hits_a_wall(self, candidate: Standing) -> bool:
        """Whether a claim that stood in somebody's way already stands in the candidate's too."""
        return any(
            not candidate.party.is_same(holder.engineer, holder.session_id)
            and any(item.clashes(held) for item in candidate.request.items)
            for holder, held in self._walls
        )

    def _is_free(self, candidate: Standing) -> bool:
        question = Question(
            self.locked.id,
            self.locked.now,
            candidate.party,
            self.locked.case_insensitive,
            shared=self._shared,
        )
        conflicts = judge(question, candidate.request.items).conflicts
        if conflicts:
            self._note_wall(conflicts[0].holder)
        return not conflicts

    def _note_wall(self, holder: Holder) -> None:
        """Remember a holder that gives way to nobody: a file claim, nothing shared, nothing agreed."""
        if self._shared or holder.scope_type != Claim.Scope.FILE or len(self._walls) >= MOST_WALLS:
            return
        agreed = Partnership.objects.filter(
            Q(holder_id=holder.id) | Q(partner_id=holder.id), kind=Partnership.Kind.COEXIST
        )
        if agreed.exists():
            return
        held = Item(
            sent=holder.pattern,
            pattern=parse(holder.pattern, case_insensitive=self.locked.case_insensitive),
            claim_type=holder.claim_type,
            narrowable_asked=holder.narrowable,
        )
        self._walls.append((holder.party, held))
