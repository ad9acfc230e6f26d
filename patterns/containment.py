"""Whether everything that one pattern covers is covered by another: exact, within a budget.

Containment is harder than overlap, because the outer pattern has to be followed in all its states at once
(the subset construction; Hopcroft, Motwani, Ullman, section 2.3.5). The search looks for a path that is
inside the inner pattern and outside the outer one. It goes through pairs of an inner state and the set of
outer states, and keeps only the smallest sets, since a path that escapes from a set escapes from its subsets
(antichains; De Wulf, Doyen, Henzinger, Raskin 2006). The letters of this automaton are names; which sets of
outer segments one name can match together is answered by the same construction on characters. Both are
exponential at worst, so the steps are counted and the search gives up beyond a fixed number.

Paths count as in ``patterns.pattern``, "File endings": a name with a file ending is a directory only where
the inner pattern says so. ``src/*`` therefore contains ``src/a.py``, but not ``src/lib``, which may be a
directory.
"""

from __future__ import annotations

from itertools import islice, pairwise

from patterns.charsets import Token
from patterns.endings import ENDINGS, Ending, file_ending
from patterns.errors import TooComplex
from patterns.folding import changed
from patterns.globs import Glob, Segment, segment
from patterns.meeting import meet, meet_as_directory
from patterns.pattern import Pattern, parse

BUDGET = 50_000
"""Steps of one automaton that a question may take, well under a tenth of a second."""

State = tuple[int, int]
Move = tuple[State, tuple[Segment, ...], bool]


def contains(outer: Pattern, inner: Pattern) -> bool:
    """Whether every path of ``inner`` is covered by ``outer``. Raises ``TooComplex``."""
    if outer == inner or (outer.is_literal and f"{inner.prefix}/".startswith(f"{outer.prefix}/")):
        return True
    everything = parse("**", case_insensitive=inner.case_insensitive)
    return intersection_within(everything, inner, outer)


def intersection_within(a: Pattern, b: Pattern, scope: Pattern) -> bool:
    """Whether every path that both ``a`` and ``b`` cover is covered by ``scope``. Raises ``TooComplex``."""
    if not a.case_insensitive == b.case_insensitive == scope.case_insensitive:
        raise ValueError("the patterns were parsed in different case modes")
    return scope in (a, b) or not _Search(a, b, scope).escapes()


class _Search:
    """One search for a path of ``a`` and ``b`` that is not in ``scope``."""

    def __init__(self, a: Pattern, b: Pattern, scope: Pattern) -> None:
        self.a, self.b, self.scope = a, b, scope
        self.final = (len(a.segments), len(b.segments))
        self.left = BUDGET
        self.known: dict[tuple[tuple[Segment, ...], bool, tuple[Segment, ...]], list[int]] = {}

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooComplex("These patterns are too complex to compare; use simpler ones.")

    def escapes(self) -> bool:
        """Whether there is such a path."""
        done = len(self.scope.segments)
        seen: dict[State, list[int]] = {}
        todo: list[tuple[State, int]] = [((0, 0), 1)]
        while todo:
            state, covered = todo.pop()
            self.spend(1)
            if covered & self.scope.loops & 1 << done:
                continue  # The scope covers whatever follows.
            masks = seen.setdefault(state, [])
            if any(mask & covered == mask for mask in masks):
                continue
            masks[:] = [mask for mask in masks if mask & covered != covered] + [covered]
            for target, label, declared in self.moves(state):
                if target == self.final:
                    after = self.follow(label, False, covered)
                    if any(not mask >> done & 1 for mask in after):
                        return True
                after = self.follow(label, not declared, covered)
                todo.extend((target, mask) for mask in after)
        return False

    def moves(self, state: State) -> list[Move]:
        """From here by one name: to which state, matching which segments, and whether a file name counts."""
        moves: list[Move] = []
        for to_i, segment_a, declared_a in _options(self.a, state[0]):
            for to_j, segment_b, declared_b in _options(self.b, state[1]):
                label = [one for one in (segment_a, segment_b) if one is not None and not one.any]
                moves.append(((to_i, to_j), tuple(dict.fromkeys(label)), declared_a or declared_b))
        return moves

    def follow(self, label: tuple[Segment, ...], directory: bool, covered: int) -> list[int]:
        """The smallest sets of scope states that one name of ``label`` can lead to."""
        always = covered & self.scope.loops
        bits: dict[Segment, int] = {}
        for index, one in enumerate(self.scope.segments):
            if not covered >> index & 1:
                continue
            if one.any or one in label:
                always |= 2 << index
            else:
                bits[one] = bits.get(one, 0) | 2 << index
        targets = tuple(bits)
        key = (label, directory, targets)
        if key not in self.known:
            self.known[key] = self.outcomes(*key)
        found = []
        for matched in self.known[key]:
            mask = always
            for position, one in enumerate(targets):
                mask |= bits[one] if matched >> position & 1 else 0
            found.append(mask)
        return found

    def outcomes(
        self, label: tuple[Segment, ...], directory: bool, targets: tuple[Segment, ...]
    ) -> list[int]:
        """The smallest sets of ``targets``, as bits, that one name of ``label`` matches together."""
        label = label or (segment("*"),)
        for one in label:
            if one.literal is not None:
                name = one.literal
                fits = all(other.matches(name) for other in label) and not (directory and file_ending(name))
                return [sum(target.matches(name) << k for k, target in enumerate(targets))] if fits else []
        if not targets:
            met = meet_as_directory(label[0], label[-1]) if directory else meet(label[0], label[-1])
            return [0] if met else []
        return self.search_names(label, directory, targets)

    def search_names(
        self, label: tuple[Segment, ...], directory: bool, targets: tuple[Segment, ...]
    ) -> list[int]:
        """``outcomes`` by following all segments over all names together."""
        directory = directory and not any(one.never_file for one in label)
        machine = _Names((*label, *targets), directory, self.scope.case_insensitive)
        todo = [machine.start()]
        seen: set[NameState] = set()  # without the start: a name has at least one character
        found: list[int] = []
        wanted = (1 << len(label)) - 1
        while todo:
            state = todo.pop()
            for char in machine.alphabet(state[1]):
                self.spend(machine.size)
                after = machine.read(state, char)
                if after is None or after in seen or not machine.alive(after, len(label)):
                    continue
                seen.add(after)
                todo.append(after)
                matched = machine.matched(after)
                if matched & wanted == wanted:
                    found = _smallest(found, matched >> len(label))
                    if found == [0]:
                        return found
        return found


def _options(pattern: Pattern, state: int) -> list[tuple[int, Segment | None, bool]]:
    """The moves of one pattern: to which state, over which segment (``None``: any name), declared or not."""
    options: list[tuple[int, Segment | None, bool]] = []
    if state < len(pattern.segments):
        options.append((state + 1, pattern.segments[state], bool(pattern.declares >> state & 1)))
    if pattern.loops >> state & 1:
        options.append((state, None, False))
    return options


def _smallest(masks: list[int], new: int) -> list[int]:
    if any(mask & new == mask for mask in masks):
        return masks
    return [mask for mask in masks if mask & new != new] + [new]


NameState = tuple[tuple[int, ...], Ending | None]


class _Names:
    """The readings of several segments side by side, reading one name from its end, with its file ending.

    The ending part of a state is the node in the tree of endings, or ``None`` when the name is no file for
    sure.
    """

    def __init__(self, segments: tuple[Segment, ...], directory: bool, case_insensitive: bool) -> None:
        self.directory = directory
        self.globs: list[Glob] = []
        self.spans: list[range] = []
        for one in segments:
            self.spans.append(range(len(self.globs), len(self.globs) + len(one.readings)))
            self.globs.extend(one.readings)
        self.size = len(self.globs)
        self.intervals = _intervals({glob.token(at) for glob in self.globs for at in range(len(glob.text))})
        self.skipped = changed() if case_insensitive else {}
        self.alphabets: dict[Ending | None, list[str]] = {}
        self.accepting: dict[str, list[int]] = {}

    def start(self) -> NameState:
        return (1,) * self.size, ENDINGS if self.directory else None

    def alphabet(self, node: Ending | None) -> list[str]:
        """One character for each set of characters that no segment and no ending tells apart from here."""
        if node not in self.alphabets:
            apart = node.decisive if node is not None else frozenset()
            chars = sorted(apart)
            for low, high in self.intervals:
                codes = (code for code in range(low, high + 1) if code not in self.skipped)
                chars.extend(islice((char for char in map(chr, codes) if char not in apart), 1))
            self.alphabets[node] = chars
            for char in chars:
                if char not in self.accepting:
                    self.accepting[char] = [glob.accepting(char) for glob in self.globs]
        return self.alphabets[node]

    def read(self, state: NameState, char: str) -> NameState | None:
        """The state after one more character to the left; ``None`` when the name is a file."""
        masks, node = state
        if node is not None:
            if char == "." and node.known:
                return None
            node = node.children.get(char)
        accepting = self.accepting[char]
        return (
            tuple(
                ((mask & accepting[k]) << 1) | (mask & self.globs[k].stars) for k, mask in enumerate(masks)
            ),
            node,
        )

    def alive(self, state: NameState, labels: int) -> bool:
        """Whether each of the first ``labels`` segments can still match."""
        return all(any(state[0][k] for k in self.spans[position]) for position in range(labels))

    def matched(self, state: NameState) -> int:
        """The segments that match the name read so far, as bits."""
        result = 0
        for position, span in enumerate(self.spans):
            if any(state[0][k] >> len(self.globs[k].text) & 1 for k in span):
                result |= 1 << position
        return result


def _intervals(tokens: set[Token]) -> list[tuple[int, int]]:
    """All characters of names, cut where some token begins or ends to accept them."""
    slash = ord("/")
    given = [(1, slash - 1), (slash + 1, 0x10FFFF)]
    for token in tokens:
        given.extend([(ord(token), ord(token))] if isinstance(token, str) else token)
    cuts = sorted({edge for low, high in given for edge in (low, high + 1)})
    return [(low, after - 1) for low, after in pairwise(cuts) if low != slash]
