"""Order: the vertices of each layer from left to right, so that few lines cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asl_engine.graph.layers import Layered

__all__ = ["order"]

SWEEPS: Final = 8
MAX_SWAPPED: Final = 1500  # vertices: neighbours are tried the other way round where that is soon done


def order(graph: Layered) -> None:
    """Put the layers in order, the best of several sweeps down and up."""
    layers = graph.layers
    position = [0] * len(graph.layer)
    for layer in layers:
        for place, vertex in enumerate(layer):
            position[vertex] = place
    best, fewest = [layer[:] for layer in layers], _crossings(graph, layers, position)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        neighbours = graph.above if down else graph.below
        for layer in layers[1:] if down else layers[-2::-1]:
            _sort(layer, neighbours, position)
        if len(position) <= MAX_SWAPPED:
            _swap(graph, layers, position)
        crossings = _crossings(graph, layers, position)
        if crossings < fewest:
            best, fewest = [layer[:] for layer in layers], crossings
    graph.layers = best


def _sort(layer: list[int], neighbours: list[list[int]], position: list[int]) -> None:
    """By the middle of the neighbours; who has none stays where it is."""
    middles = {
        vertex: sum(position[other] for other in found) / len(found)
        for vertex in layer
        if (found := neighbours[vertex])
    }
    placed = iter(sorted(middles, key=lambda vertex: (middles[vertex], position[vertex])))
    layer[:] = [next(placed) if vertex in middles else vertex for vertex in layer]
    for place, vertex in enumerate(layer):
        position[vertex] = place


def _swap(graph: Layered, layers: list[list[int]], position: list[int]) -> None:
    """Swap neighbours in a layer where that takes crossings away."""
    for layer in layers:
        for place in range(len(layer) - 1):
            left, right = layer[place], layer[place + 1]
            now = later = 0
            for neighbours in (graph.above, graph.below):
                lefts = sorted(position[one] for one in neighbours[left])
                rights = sorted(position[one] for one in neighbours[right])
                now += _inversions(lefts, rights)
                later += _inversions(rights, lefts)
            if later < now:
                layer[place], layer[place + 1] = right, left
                position[left], position[right] = place + 1, place


def _inversions(lefts: list[int], rights: list[int]) -> int:
    """How many lines of the one on the left end right of lines of the other."""
    return sum(len(lefts) - bisect_right(lefts, end) for end in rights)


def _crossings(graph: Layered, layers: list[list[int]], position: list[int]) -> int:
    total = 0
    for layer in layers:
        seen: list[int] = []
        for vertex in layer:
            ends = sorted(position[lower] for lower in graph.below[vertex])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
