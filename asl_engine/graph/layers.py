"""Rank: the nodes of a scope in layers, so that all edges but those of loops lead down.

An edge that spans several layers runs through lanes, one in each layer between.  Edges to the same target share
its lanes: a hundred states with one catcher are a hundred lanes, not five thousand, and one line to follow.  A
label is a vertex of its own, so that nothing is ever drawn over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.graph.model import END

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.graph.model import Edge, GraphNode, GraphScope

__all__ = ["Chain", "Layered", "Size", "layered"]


class Size(NamedTuple):
    width: int
    height: int


NO_SIZE: Final = Size(0, 0)


class Chain(NamedTuple):
    """An edge as the vertices it runs through, from the top down; ``is_back``: the edge itself leads up.

    ``label`` is the vertex of its label, if it has one.
    """

    edge: Edge
    vertices: list[int]
    is_back: bool
    label: int | None


@dataclass(slots=True)
class Layered:
    """Vertices are numbers: the nodes of the scope in their order, then labels and lanes.

    ``loops`` are the edges from a node to itself, which run through no vertex.
    """

    sizes: list[Size]
    layer: list[int]
    is_lane: list[bool]
    chains: list[Chain] = field(default_factory=list)
    loops: list[Edge] = field(default_factory=list)
    layers: list[list[int]] = field(default_factory=list)
    above: list[list[int]] = field(default_factory=list)
    below: list[list[int]] = field(default_factory=list)
    straight: set[tuple[int, int]] = field(default_factory=set)

    def add(self, layer: int, size: Size, *, is_lane: bool) -> int:
        self.sizes.append(size)
        self.layer.append(layer)
        self.is_lane.append(is_lane)
        return len(self.layer) - 1


def layered(
    scope: GraphScope, size_of: Callable[[GraphNode], Size], label_size: Callable[[Edge], Size], lane: Size
) -> Layered:
    """The scope in layers.  An edge whose label has no size has no label."""
    number = {node.location: index for index, node in enumerate(scope.nodes)}
    edges = [edge for edge in scope.edges if edge.source != edge.target]
    ends = [(number[edge.source], number[edge.target]) for edge in edges]
    labels = [label_size(edge) for edge in edges]
    back = _back_edges(len(scope.nodes), number[scope.start], ends)
    spans = [2 if label != NO_SIZE else 1 for label in labels]
    ranks = _ranks(len(scope.nodes), ends, spans, back)
    if END in number:
        ranks[number[END]] = max(ranks[: number[END]], default=0) + 1
    found = Layered([size_of(node) for node in scope.nodes], ranks, [False] * len(scope.nodes))
    found.loops = [edge for edge in scope.edges if edge.source == edge.target]
    lanes: dict[tuple[int, str, int], int] = {}
    for index, edge in enumerate(edges):
        source, target = ends[index]
        is_back = index in back
        kind = "back" if is_back else "catch" if edge.kind == "catch" else "next"
        step, label = (-1 if is_back else 1), None
        way, at = [source], ranks[source] + step
        if labels[index] != NO_SIZE:
            label = found.add(at, labels[index], is_lane=False)
            way.append(label)
            at += step
        while at != ranks[target]:
            key = (target, kind, at)
            if key not in lanes:
                lanes[key] = found.add(at, lane, is_lane=True)
            way.append(lanes[key])
            at += step
        way.append(target)
        found.chains.append(Chain(edge, way[::step], is_back, label))
    _connect(found)
    return found


def _back_edges(nodes: int, start: int, ends: Sequence[tuple[int, int]]) -> set[int]:
    """The edges that close a loop, as they are met on the way from the start; all nodes can be reached from it."""
    leaving: list[list[int]] = [[] for _ in range(nodes)]
    for index, (source, _) in enumerate(ends):
        leaving[source].append(index)
    back: set[int] = set()
    state = [0] * nodes  # 1: on the way, 2: done
    for root in (start, *range(nodes)):
        if state[root]:
            continue
        state[root] = 1
        way = [(root, iter(leaving[root]))]
        while way:
            node, rest = way[-1]
            for index in rest:
                target = ends[index][1]
                if state[target] == 1:
                    back.add(index)
                elif not state[target]:
                    state[target] = 1
                    way.append((target, iter(leaving[target])))
                    break
            else:
                state[node] = 2
                way.pop()
    return back


def _ranks(nodes: int, ends: Sequence[tuple[int, int]], spans: Sequence[int], back: set[int]) -> list[int]:
    """The longest way to each node."""
    leaving: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    coming = [0] * nodes
    for index, (source, target) in enumerate(ends):
        upper, lower = (target, source) if index in back else (source, target)
        leaving[upper].append((lower, spans[index]))
        coming[lower] += 1
    ranks = [0] * nodes
    ready = [node for node in range(nodes) if not coming[node]]
    for node in ready:
        for target, span in leaving[node]:
            ranks[target] = max(ranks[target], ranks[node] + span)
            coming[target] -= 1
            if not coming[target]:
                ready.append(target)
    return ranks


def _connect(found: Layered) -> None:
    """The segments between layers, each once, and the first order: as the chains are met."""
    count = len(found.layer)
    found.above, found.below = [[] for _ in range(count)], [[] for _ in range(count)]
    segments: dict[tuple[int, int], None] = {}
    for chain in found.chains:
        for upper, lower in zip(chain.vertices, chain.vertices[1:], strict=False):
            segments[upper, lower] = None
        if chain.edge.kind == "next" and len(chain.vertices) == 2:
            found.straight.add((chain.vertices[0], chain.vertices[1]))
    for upper, lower in segments:
        found.below[upper].append(lower)
        found.above[lower].append(upper)
    found.layers = [[] for _ in range(max(found.layer, default=0) + 1)]
    seen = [False] * count
    for root in range(count):
        way = [root]
        while way:
            vertex = way.pop()
            if not seen[vertex]:
                seen[vertex] = True
                found.layers[found.layer[vertex]].append(vertex)
                way += reversed(found.below[vertex])
