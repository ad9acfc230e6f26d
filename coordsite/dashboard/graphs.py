"""The geometry of the contention graph: who waits for whom, laid out in layers. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NODE_WIDTH, NODE_HEIGHT, LAYER, ROW, MARGIN = 150, 34, 244, 52, 8
MOST_NODES = 24
ARROW = 7

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wait:
    """``waiter`` waits for ``pattern``, which ``blocker`` holds or (not ``held``) stands before it for."""

    waiter: str
    blocker: str
    pattern: str
    held: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A party's box."""

    name: str
    detail: str
    x: float
    y: float
    waits: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A curve from the waiter's box to the blocker's, around the boxes between them."""

    waiter: str
    blocker: str
    patterns: tuple[str, ...]
    path: str
    head: str
    label_x: float
    label_y: float
    held: bool

    @property
    def label(self) -> str:
        """What is waited for, cut to what fits between the boxes."""
        first = self.patterns[0]
        short = first if len(first) <= 14 else f"…{first[-13:]}"
        return short if len(self.patterns) == 1 else f"{short} +{len(self.patterns) - 1}"


@dataclass(frozen=True, slots=True)
class Graph:
    """Who waits for nobody on the right, whoever waits to the left of all that it waits for."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int
    left_out: int


def graph(waits: Sequence[Wait], details: Mapping[str, str]) -> Graph:
    """Lay the graph out; parties beyond a limit are counted in ``left_out``."""
    names = list(dict.fromkeys(name for wait in waits for name in (wait.blocker, wait.waiter)))
    shown = names[:MOST_NODES]
    pairs: dict[tuple[str, str], list[Wait]] = defaultdict(list)
    for wait in waits:
        if wait.waiter in shown and wait.blocker in shown and wait.waiter != wait.blocker:
            pairs[wait.waiter, wait.blocker].append(wait)
    depth = _depths(shown, list(pairs))
    places = _places(shown, list(pairs), depth)
    waiting = {waiter for waiter, _ in pairs}
    nodes = tuple(
        Node(name, details.get(name, ""), *places[name, depth[name]], name in waiting) for name in shown
    )
    deepest = max(depth.values(), default=0)
    return Graph(
        nodes,
        tuple(_edge(pair, found, depth, places) for pair, found in pairs.items()),
        2 * MARGIN + deepest * LAYER + NODE_WIDTH,
        int(max((y for _, y in places.values()), default=0)) + NODE_HEIGHT + MARGIN,
        len(names) - len(shown),
    )


def _depths(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How far each party stands from whoever waits for nobody. A cycle ends the search, it does not loop."""
    depth = dict.fromkeys(names, 0)
    for _ in names:
        moved = False
        for waiter, blocker in pairs:
            wanted = depth[blocker] + 1
            if depth[waiter] < wanted < len(names):
                depth[waiter], moved = wanted, True
        if not moved:
            break
    return depth


def _places(
    names: Sequence[str], pairs: Sequence[tuple[str, str]], depth: Mapping[str, int]
) -> dict[tuple[str, int], Point]:
    """Where each party's box is, by name and layer, and where long edges pass the layers between.

    Such a passage is keyed by ``waiter > blocker`` and layer. Rows follow what each waits for.
    """
    targets: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
    layers: dict[int, list[str]] = defaultdict(list)
    for name in names:
        layers[depth[name]].append(name)
    for waiter, blocker in pairs:
        before = (blocker, depth[blocker])
        for layer in range(depth[blocker] + 1, depth[waiter]):
            passage = f"{waiter} > {blocker}"
            layers[layer].append(passage)
            targets[passage, layer].append(before)
            before = (passage, layer)
        targets[waiter, depth[waiter]].append(before)
    deepest = max(layers, default=0)
    places: dict[tuple[str, int], Point] = {}
    for layer in range(deepest + 1):
        _order(layers[layer], layer, targets, places)
        for row, name in enumerate(layers[layer]):
            places[name, layer] = (MARGIN + (deepest - layer) * LAYER, MARGIN + row * ROW)
    return places


def _order(
    layer: list[str],
    number: int,
    targets: Mapping[tuple[str, int], list[tuple[str, int]]],
    places: Mapping[tuple[str, int], Point],
) -> None:
    def height(name: str) -> float:
        found = [places[target][1] for target in targets.get((name, number), ()) if target in places]
        return sum(found) / len(found) if found else 0.0

    layer.sort(key=height)


def _edge(
    pair: tuple[str, str],
    found: Sequence[Wait],
    depth: Mapping[str, int],
    places: Mapping[tuple[str, int], Point],
) -> Edge:
    waiter, blocker = pair
    half = NODE_HEIGHT / 2
    x, y = places[waiter, depth[waiter]]
    stops: list[tuple[Point, Point]] = []
    for layer in range(depth[waiter] - 1, depth[blocker], -1):
        left, top = places[f"{waiter} > {blocker}", layer]
        stops.append(((left, top + half), (left + NODE_WIDTH, top + half)))
    left, top = places[blocker, depth[blocker]]
    end = (left - ARROW, top + half)
    here = (x + NODE_WIDTH, y + half)
    path = f"M{here[0]:.0f},{here[1]:.0f}"
    label = ((here[0] + (stops[0][0][0] if stops else end[0])) / 2, here[1])
    for into, out in [*stops, (end, end)]:
        bend = (into[0] - here[0]) / 2
        path += f" C{here[0] + bend:.0f},{here[1]:.0f} {into[0] - bend:.0f},{into[1]:.0f}"
        path += f" {into[0]:.0f},{into[1]:.0f}"
        if out != into:
            path += f" L{out[0]:.0f},{out[1]:.0f}"
        label = (label[0], (label[1] + into[1]) / 2) if label[1] == here[1] else label
        here = out
    return Edge(
        waiter,
        blocker,
        tuple(dict.fromkeys(wait.pattern for wait in found)),
        path,
        f"{end[0]:.0f},{end[1] - 5:.0f} {left:.0f},{end[1]:.0f} {end[0]:.0f},{end[1] + 5:.0f}",
        label[0],
        label[1] - 5,
        any(wait.held for wait in found),
    )
