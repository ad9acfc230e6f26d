"""The sequential specification of claims, and the search for an order that explains a history.

Claims decompose by group: patterns of one group may overlap, patterns of two groups never do. Within a
group the specification is a set of holders and the highest fence so far. A history is *linearisable* when
its operations can be put in an order that respects real time (an operation that ended before another began
comes first) and in which the specification gives every answer that was given.

The search is Wing and Gong's with Lowe's memory: depth first over the operations that may come next, never
visiting the same pair of (operations done, state) twice. An operation whose answer was lost may have taken
effect at any time after it began, or never; so a pair is also passed over when the same was reached with
fewer lost operations spent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

MOST_STEPS = 10_000_000
EVERYTHING = "**"


@dataclass(frozen=True, slots=True)
class Op:
    """One call of one party. ``returned`` is infinite for a lost answer; times are monotonic nanoseconds.

    ``kind`` is ``claim``, ``release``, ``check`` or ``giveback`` (the service ends what a vanished waiter
    got). ``answer`` by kind: ``granted`` (with ``claim_id`` and ``fence``), ``refused`` (with ``seen``, the
    ids in the way), ``put_off`` (no word about who holds), ``released``, ``nothing``, ``seen``, ``lost``.
    """

    party: str
    kind: str
    pattern: str
    called: int
    returned: float
    answer: str
    claim_id: str | None = None
    fence: int | None = None
    seen: frozenset[str] = frozenset()
    where: str = ""

    @property
    def group(self) -> str:
        """The patterns that this one may overlap."""
        return self.pattern.rpartition("/")[0]

    @property
    def lost(self) -> bool:
        """Whether it is not known what came of it."""
        return self.answer == "lost"


class Held(NamedTuple):
    """A claim in the model. A claim that nobody was told of has no id yet; its fence is above ``floor``."""

    pattern: str
    party: str
    claim_id: str | None
    floor: int


class State(NamedTuple):
    """Who holds what in a group, and the highest fence that was told."""

    held: frozenset[Held] = frozenset()
    fence: int = 0


def overlap(one: str, other: str) -> bool:
    """Whether two patterns of one group share a path."""
    return one == other or one.endswith(EVERYTHING) or other.endswith(EVERYTHING)


def step(state: State, op: Op) -> State | None:
    """The state after ``op`` gave the answer it gave; ``None`` when it cannot have given it here."""
    if op.kind == "claim":
        return _claim(state, op)
    if op.kind == "check":
        return _seen(state, op, _in_the_way(state, op))
    mine = _own(state, op)
    if op.answer == "nothing":
        return state if mine is None or mine.claim_id is None else None
    if mine is None:
        return state if op.lost else None
    return state._replace(held=state.held - {mine})


def _claim(state: State, op: Op) -> State | None:
    if op.answer == "put_off":
        return state
    others = _in_the_way(state, op)
    if op.answer == "refused":
        return _seen(state, op, others) if others else None
    if others:
        return state if op.lost else None
    mine = next((h for h in state.held if (h.party, h.pattern) == (op.party, op.pattern)), None)
    if op.lost:
        return state if mine else _with(state, Held(op.pattern, op.party, None, state.fence))
    told = Held(op.pattern, op.party, op.claim_id, 0)
    fence = op.fence or 0
    if mine is None:
        return _with(state, told)._replace(fence=fence) if fence > state.fence else None
    if mine.claim_id is None:
        bound = _with(state._replace(held=state.held - {mine}), told)
        return bound._replace(fence=max(fence, state.fence)) if fence > mine.floor else None
    return state if mine.claim_id == op.claim_id else None


def _with(state: State, held: Held) -> State:
    return state._replace(held=state.held | {held})


def _in_the_way(state: State, op: Op) -> list[Held]:
    return [h for h in state.held if h.party != op.party and overlap(h.pattern, op.pattern)]


def _own(state: State, op: Op) -> Held | None:
    """What a release or a giving back is about: by id, or what the party was never told the id of."""
    unnamed = None
    for held in state.held:
        if (held.party, held.pattern) == (op.party, op.pattern):
            if held.claim_id == op.claim_id and op.claim_id is not None:
                return held
            if held.claim_id is None:
                unnamed = held
    return unnamed


def _seen(state: State, op: Op, others: list[Held]) -> State | None:
    """The ids that the caller was shown are those in the way; a new one names the claim that had no id."""
    if op.lost:
        return state
    known = {h.claim_id for h in others if h.claim_id is not None}
    unnamed = [h for h in others if h.claim_id is None]
    fresh = op.seen - known
    if not known <= op.seen or len(fresh) != len(unnamed):
        return None
    if len(unnamed) == 1:
        (claim_id,) = fresh
        return _with(state._replace(held=state.held - set(unnamed)), unnamed[0]._replace(claim_id=claim_id))
    return state


class _Entry:
    """A call or a return in the list of what happened, in order."""

    __slots__ = ("back", "match", "next", "number", "op")

    def __init__(self, number: int, op: Op | None) -> None:
        self.number, self.op = number, op
        self.next: _Entry | None = None
        self.back: _Entry | None = None
        self.match: _Entry | None = None

    def lift(self) -> None:
        """Take a call, and its return, out of the list."""
        for entry in (self, self.match):
            if entry is not None:
                assert entry.back is not None
                entry.back.next = entry.next
                if entry.next is not None:
                    entry.next.back = entry.back

    def unlift(self) -> None:
        """Put them back."""
        for entry in (self.match, self):
            if entry is not None:
                assert entry.back is not None
                entry.back.next = entry
                if entry.next is not None:
                    entry.next.back = entry


def _listed(ops: Sequence[Op]) -> _Entry:
    events: list[tuple[float, int, _Entry]] = []
    for number, op in enumerate(ops):
        call = _Entry(number, op)
        events.append((op.called, 1 if op.lost else 0, call))
        if not op.lost:
            call.match = _Entry(number, None)
            events.append((op.returned, 2, call.match))
    events.sort(key=lambda event: event[:2])
    head = last = _Entry(-1, None)
    for _, _, entry in events:
        last.next, entry.back, last = entry, last, entry
    return head


@dataclass(slots=True)
class Verdict:
    """Whether a group's history has an order; the order found, or the longest beginning of one."""

    group: str
    linearisable: bool
    ops: Sequence[Op]
    order: list[int] = field(default_factory=list)
    steps: int = 0

    def explain(self, context: int = 12) -> str:
        """The last operations that could be ordered, and what then could not be."""
        done = set(self.order)
        left = sorted((n for n in range(len(self.ops)) if n not in done), key=lambda n: self.ops[n].returned)
        shown = [*self.order[-context:], *left[:context]]
        start = min((op.called for op in self.ops), default=0)
        lines = [f"group {self.group}: no order explains what was answered", "ordered until here:"]
        for place, number in enumerate(shown):
            if place == min(context, len(self.order)):
                lines.append("cannot follow:")
            op = self.ops[number]
            end = "never" if op.lost else f"{(op.returned - start) / 1e6:.2f}"
            lines.append(
                f"  {(op.called - start) / 1e6:.2f}..{end} ms {op.where} {op.party} {op.kind} {op.pattern}"
                f" -> {op.answer} {op.claim_id or ''} {op.fence or ''} {sorted(op.seen) or ''}"
            )
        return "\n".join(lines)


def search(ops: Sequence[Op], group: str = "") -> Verdict:
    """Look for an order. Raises ``RuntimeError`` when the search takes too long to decide."""
    head = _listed(ops)
    waiting = sum(not op.lost for op in ops)
    state, done, steps = State(), 0, 0
    lost = sum(1 << number for number, op in enumerate(ops) if op.lost)
    visited: dict[tuple[int, State], list[int]] = {}
    stack: list[tuple[_Entry, State]] = []
    best: list[int] = []
    entry = head.next
    while waiting:
        steps += 1
        if steps > MOST_STEPS:
            raise RuntimeError(f"undecided after {steps} steps: {group}")
        if entry is not None and entry.op is not None:
            after = step(state, entry.op)
            reached = done | 1 << entry.number
            if after is None or (entry.op.lost and after == state):
                entry = entry.next
                continue
            spent = visited.setdefault((reached & ~lost, after), [])
            now = reached & lost
            if any(before & now == before for before in spent):
                entry = entry.next
                continue
            spent[:] = [before for before in spent if before & now != now] + [now]
            stack.append((entry, state))
            state, done = after, reached
            waiting -= not entry.op.lost
            entry.lift()
            if len(stack) > len(best):
                best = [taken.number for taken, _ in stack]
            entry = head.next
            continue
        if not stack:
            return Verdict(group, False, ops, best, steps)
        taken, state = stack.pop()
        assert taken.op is not None
        done &= ~(1 << taken.number)
        waiting += not taken.op.lost
        taken.unlift()
        entry = taken.next
    return Verdict(group, True, ops, [taken.number for taken, _ in stack], steps)


def check(ops: Iterable[Op]) -> list[Verdict]:
    """A verdict per group."""
    groups: dict[str, list[Op]] = {}
    for op in ops:
        groups.setdefault(op.group, []).append(op)
    return [search(found, group) for group, found in sorted(groups.items())]


def fences_grow(ops: Iterable[Op]) -> str:
    """Empty when a grant that began after another was told has the higher fence, over all groups, and no
    fence was told for two claims; else what is wrong.
    """
    ops = list(ops)
    first: dict[str, Op] = {}
    for op in sorted((op for op in ops if op.answer == "granted"), key=lambda op: op.returned):
        assert op.claim_id is not None
        known = first.setdefault(op.claim_id, op)
        if known.fence != op.fence:
            return f"claim {op.claim_id} was told with fences {known.fence} and {op.fence}"
    for claim_id, op in first.items():
        # A claim that an earlier call got, whose answer was lost, may be told by a later one.
        earlier = [o.called for o in ops if o.lost and (o.party, o.pattern) == (op.party, op.pattern)]
        first[claim_id] = replace(op, called=min([op.called, *earlier]))
    grants = sorted(first.values(), key=lambda op: op.fence or 0)
    if len({op.fence for op in grants}) != len(grants):
        return "two claims were told with one fence"
    earliest = math.inf
    for op in reversed(grants):
        if op.called > earliest:
            return f"fence {op.fence} of {op.claim_id} is not above one that was told before it was asked for"
        earliest = min(earliest, op.returned)
    return ""
