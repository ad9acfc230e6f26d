"""The verdict: may this party hold these scopes now? The one place that decides, for every path.

Matrix (holder, request): file/file overlap blocks; symbol/symbol blocks where symbol paths meet and
coexists otherwise; a symbol inside a narrowable file claim is carved out of it; a file over somebody's
symbols blocks. Two more ways to coexist: the holder agreed to it on the overlapping scope, or the
ownership document shares the overlapping paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import Q

from claims.candidates import MOST_HITS, Holder, Search, holders, symbol_holders
from claims.models import Claim, ClaimSymbol, Partnership
from claims.parties import Party
from claims.scopes import Item
from patterns import Pattern, TooComplex, intersection_within, parse

MOST_PARTNERS = 8


@dataclass(frozen=True, slots=True)
class Conflict:
    """An item that another party's claim stands in the way of."""

    index: int
    item: Item
    holder: Holder


@dataclass(frozen=True, slots=True)
class Coexistence:
    """An item that may be granted beside a holder, on ``pattern`` (and ``symbols``) alone."""

    index: int
    holder: Holder
    kind: str
    pattern: str
    symbols: tuple[str, ...] | None = None


@dataclass(slots=True)
class Verdict:
    """What stands in the way, what may coexist, which items the party holds already (index → claim id).

    ``own`` are the party's claims that meet a whole-file item, whatever their scope.
    """

    conflicts: list[Conflict] = field(default_factory=list)
    coexistences: list[Coexistence] = field(default_factory=list)
    held: dict[int, str] = field(default_factory=dict)
    own: dict[int, list[Holder]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, where and when. ``shared`` are the patterns that the ownership document shares;
    ``own_claims`` count as the asking party's, whoever is named on them.
    """

    repository_id: int
    now: datetime
    party: Party
    case_insensitive: bool = False
    sessions: tuple[str, ...] = ()
    shared: Sequence[Pattern] = ()
    ignore_claims: tuple[str, ...] = ()
    own_claims: frozenset[str] = frozenset()

    def search(self) -> Search:
        """The candidate search of this question, the asking party's own claims included."""
        return Search(self.repository_id, self.now, self.case_insensitive, exclude_claims=self.ignore_claims)

    def is_own(self, holder: Holder) -> bool:
        """Whether the holder is the asking party (under any session it named)."""
        if holder.id in self.own_claims:
            return True
        if holder.session_id is not None and holder.session_id in self.sessions:
            return True
        return self.party.is_same(holder.engineer, holder.session_id)


def judge(question: Question, items: Sequence[Item]) -> Verdict:
    """Decide every item against the live claims. Reads only; exact under the repository's lock."""
    verdict = Verdict()
    for index, item in enumerate(items):
        if item.symbols is None:
            _judge_file(question, index, item, verdict)
        else:
            _judge_symbols(question, index, item, verdict)
    return verdict


def _judge_file(question: Question, index: int, item: Item, verdict: Verdict) -> None:
    enough = len(verdict.conflicts) + MOST_HITS
    for holder in holders(question.search(), item.pattern):
        if question.is_own(holder):
            verdict.own.setdefault(index, []).append(holder)
            if _same_file_scope(holder, item, question):
                verdict.held[index] = holder.id
            continue
        _settle(question, index, item, holder, verdict)
        if len(verdict.conflicts) >= enough:
            return


def _judge_symbols(question: Question, index: int, item: Item, verdict: Verdict) -> None:
    symbols = item.symbols or ()
    enough = len(verdict.conflicts) + MOST_HITS
    for holder in holders(question.search(), item.pattern, scope=Claim.Scope.FILE, narrowable=False):
        if not question.is_own(holder):
            _settle(question, index, item, holder, verdict)
        if len(verdict.conflicts) >= enough:
            break
    giving_way = (
        holder
        for holder in holders(question.search(), item.pattern, scope=Claim.Scope.FILE, narrowable=True)
        if not question.is_own(holder)
    )
    for holder in islice(giving_way, MOST_HITS):
        if _shared(question, item, holder):
            _settle(question, index, item, holder, verdict)
        else:
            kind = Partnership.Kind.AUTO_NARROW
            verdict.coexistences.append(Coexistence(index, holder, kind, item.pattern.text, symbols))

    in_the_way: set[str] = set()

    def stands_in_the_way(holder: Holder) -> bool:
        if question.is_own(holder) or _let_in(question, index, item, holder, verdict):
            return False
        in_the_way.add(holder.id)
        return True

    met = symbol_holders(question.search(), item.pattern, symbols, stands_in_the_way)
    for holder in met:
        if holder.id in in_the_way:
            verdict.conflicts.append(Conflict(index, item, holder))
        elif question.is_own(holder) and _same_symbols(holder, item):
            verdict.held[index] = holder.id
    known = {holder.id for holder in met}
    partners = (
        holder
        for holder in holders(question.search(), item.pattern, scope=Claim.Scope.SYMBOL)
        if holder.id not in known and not question.is_own(holder)
    )
    for holder in islice(partners, MOST_PARTNERS):
        kind = Partnership.Kind.AUTO_COEXIST
        verdict.coexistences.append(Coexistence(index, holder, kind, item.pattern.text, symbols))


def _settle(question: Question, index: int, item: Item, holder: Holder, verdict: Verdict) -> None:
    """A meeting that the matrix forbids: shared by rule, agreed by the holder, or a conflict."""
    if not _let_in(question, index, item, holder, verdict):
        verdict.conflicts.append(Conflict(index, item, holder))


def _let_in(question: Question, index: int, item: Item, holder: Holder, verdict: Verdict) -> bool:
    """Whether the paths are shared by rule (then both coexist there) or the holder agreed."""
    shared = _shared(question, item, holder)
    if shared is None:
        return _agreed(question, item, holder)
    verdict.coexistences.append(
        Coexistence(index, holder, Partnership.Kind.SHARED, shared.text, item.symbols)
    )
    return True


def _shared(question: Question, item: Item, holder: Holder) -> Pattern | None:
    if not question.shared:
        return None
    held = parse(holder.pattern, case_insensitive=question.case_insensitive)
    return next((rule for rule in question.shared if _within(item.pattern, held, rule)), None)


def _agreed(question: Question, item: Item, holder: Holder) -> bool:
    """Whether the holder agreed that the asking party may be exactly here."""
    links = Partnership.objects.filter(
        Q(holder_id=holder.id) | Q(partner_id=holder.id), kind=Partnership.Kind.COEXIST
    ).select_related("holder", "partner")
    held = parse(holder.pattern, case_insensitive=question.case_insensitive)
    for link in links:
        other = link.partner if link.holder_id == holder.id else link.holder
        if other.released_at is not None or other.expires_at <= question.now:
            continue
        if not question.party.is_same(other.engineer, other.session_id):
            continue
        scope = parse(link.pattern, case_insensitive=question.case_insensitive)
        if _within(item.pattern, held, scope) and _symbols_within(item, link):
            return True
    return False


def _symbols_within(item: Item, link: Partnership) -> bool:
    if link.symbols is None:
        return True
    agreed = tuple(link.symbols)
    return item.symbols is not None and all(
        any(path == scope or path.startswith(f"{scope}::") for scope in agreed) for path in item.symbols
    )


def _within(mine: Pattern, held: Pattern, scope: Pattern) -> bool:
    try:
        return intersection_within(mine, held, scope)
    except TooComplex:
        return False


def _same_file_scope(holder: Holder, item: Item, question: Question) -> bool:
    if holder.scope_type != Claim.Scope.FILE or holder.claim_type != item.claim_type:
        return False
    return (
        holder.pattern == item.pattern.text
        or parse(holder.pattern, case_insensitive=question.case_insensitive) == item.pattern
    )


def _same_symbols(holder: Holder, item: Item) -> bool:
    if holder.pattern != item.pattern.text:
        return False
    paths = ClaimSymbol.objects.filter(claim_id=holder.id).values_list("path", flat=True)
    return set(paths) == set(item.symbols or ())
