"""Place: where each vertex is from left to right, in the order of its layer, with long lines straight.

The method is that of Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2002): vertices are
aligned in blocks with their median neighbours, in four ways (from above or below, from the left or the right),
and the mean of the middle two is taken.  Blocks are compacted along the longest way, as dagre does it.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.graph.layers import Layered

__all__ = ["place"]


def place(graph: Layered, gap: int) -> list[int]:
    """The middle of each vertex, at least ``gap`` between two; the leftmost begins at 0."""
    conflicts = _conflicts(graph)
    found: list[list[int]] = []
    for down in (True, False):
        for right in (False, True):
            layers = graph.layers if down else graph.layers[::-1]
            layers = [layer[::-1] for layer in layers] if right else layers
            root = _aligned(graph, layers, graph.above if down else graph.below, conflicts)
            places = _compacted(layers, root, _separation(graph, gap))
            found.append([-one for one in places] if right else places)
    widths = [size.width for size in graph.sizes]
    spans = [_span(places, widths) for places in found]
    narrowest = min(spans, key=lambda span: span[1] - span[0])
    for index, places in enumerate(found):  # 0 and 2 come from the left, 1 and 3 from the right
        side = index % 2
        shift = narrowest[side] - spans[index][side]
        found[index] = [one + shift for one in places]
    middles = [sum(sorted(four)[1:3]) // 2 for four in zip(*found, strict=True)]
    begin = _span(middles, widths)[0]
    return [middle - begin for middle in middles]


def _span(places: Sequence[int], widths: Sequence[int]) -> tuple[int, int]:
    lefts = [place - width // 2 for place, width in zip(places, widths, strict=True)]
    rights = [left + width for left, width in zip(lefts, widths, strict=True)]
    return min(lefts, default=0), max(rights, default=0)


def _separation(graph: Layered, gap: int) -> Callable[[int, int], int]:
    sizes, is_lane = graph.sizes, graph.is_lane

    def separation(left: int, right: int) -> int:
        room = gap // 2 if is_lane[left] and is_lane[right] else gap
        return (sizes[left].width + 1) // 2 + (sizes[right].width + 1) // 2 + room

    return separation


def _conflicts(graph: Layered) -> set[tuple[int, int]]:
    """The segments that cross one between two lanes: a long line gives way to none that is short."""
    position = {vertex: place for layer in graph.layers for place, vertex in enumerate(layer)}
    marked: set[tuple[int, int]] = set()
    for upper, lower in zip(graph.layers, graph.layers[1:], strict=False):
        last, begin = 0, 0
        for place, vertex in enumerate(lower):
            inner = next(
                (one for one in graph.above[vertex] if graph.is_lane[vertex] and graph.is_lane[one]), None
            )
            if inner is None and place < len(lower) - 1:
                continue
            limit = len(upper) if inner is None else position[inner]
            for other in lower[begin : place + 1]:
                for one in graph.above[other]:
                    is_inner = graph.is_lane[one] and graph.is_lane[other]
                    if not last <= position[one] <= limit and not is_inner:
                        marked.add((one, other))
            begin, last = place + 1, limit
    return marked


def _aligned(
    graph: Layered, layers: list[list[int]], neighbours: list[list[int]], conflicts: set[tuple[int, int]]
) -> list[int]:
    """The block of each vertex, by the vertex that it begins with."""
    count = len(graph.layer)
    root, align = list(range(count)), list(range(count))
    position = [0] * count
    for layer in layers:
        for place_, vertex in enumerate(layer):
            position[vertex] = place_
    for layer in layers:
        last = -1
        for vertex in layer:
            for other in _medians(graph, vertex, neighbours[vertex], position):
                clashes = (other, vertex) in conflicts or (vertex, other) in conflicts
                if align[vertex] == vertex and last < position[other] and not clashes:
                    align[other] = vertex
                    root[vertex] = align[vertex] = root[other]
                    last = position[other]
    return root


def _medians(graph: Layered, vertex: int, found: list[int], position: list[int]) -> list[int]:
    """The neighbours to be aligned with: the way straight on before others, and a lane with its own.

    A neighbour that goes straight on to another vertex is left to that one.
    """
    strong = [other for other in found if _is_strong(graph, vertex, other)]
    if not strong:
        below = bool(found) and graph.layer[found[0]] < graph.layer[vertex]
        ahead = graph.below if below else graph.above
        found = [one for one in found if not any(_is_strong(graph, one, other) for other in ahead[one])]
    among = sorted(strong or found, key=lambda other: position[other])
    return among[(len(among) - 1) // 2 : len(among) // 2 + 1]


def _is_strong(graph: Layered, one: int, other: int) -> bool:
    return (
        (graph.is_lane[one] and graph.is_lane[other])
        or (one, other) in graph.straight
        or (other, one) in graph.straight
    )


def _compacted(layers: list[list[int]], root: list[int], separation: Callable[[int, int], int]) -> list[int]:
    """Each block as far to the left as its neighbours let it, then back to the right where there is room."""
    after: dict[int, dict[int, int]] = {}
    before: dict[int, dict[int, int]] = {}
    for layer in layers:
        for left, right in itertools.pairwise(layer):
            one, other, room = root[left], root[right], separation(left, right)
            if room > after.setdefault(one, {}).get(other, -1):
                after[one][other] = room
                before.setdefault(other, {})[one] = room
    blocks = [vertex for vertex, one in enumerate(root) if vertex == one]
    places = dict.fromkeys(blocks, 0)
    coming = {block: len(before.get(block, ())) for block in blocks}
    ready = [block for block in blocks if not coming[block]]
    for block in ready:
        for other, room in after.get(block, {}).items():
            places[other] = max(places[other], places[block] + room)
            coming[other] -= 1
            if not coming[other]:
                ready.append(other)
    for block in reversed(ready):
        limits = [places[other] - room for other, room in after.get(block, {}).items()]
        if limits:
            places[block] = max(places[block], min(limits))
    return [places[one] for one in root]
