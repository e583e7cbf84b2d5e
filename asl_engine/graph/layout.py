"""A whole definition laid out: where each node, edge, label and box is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.graph.layers import NO_SIZE, Size, layered
from asl_engine.graph.model import scopes_within
from asl_engine.graph.ordering import order
from asl_engine.graph.placing import place
from asl_engine.graph.routing import find_ports, find_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.graph.layers import Layered
    from asl_engine.graph.model import Edge, GraphNode, GraphScope
    from asl_engine.graph.routing import Ports, Tracks

__all__ = ["GraphLayout", "Metrics", "PlacedEdge", "PlacedNode", "PlacedScope", "Rectangle", "lay_out"]


class Metrics(NamedTuple):
    """The measures of a drawing, in its own unit: pixels, or characters of a terminal.

    ``size_of`` is for a node without what is in it, ``label_size`` for the label of an edge.  ``gap`` is between
    two nodes of a layer, ``track`` between two lines; ``above`` and ``below`` are the room of a line before and
    after its tracks, ``plain`` is the room where all lines are straight.  ``tolerance``: a line that is so nearly
    straight is made so; ``clearance``: two lines are so far apart; ``port`` is how far from the middle of a state
    its catchers leave.  A box that holds scopes has a ``header`` and a ``footer``, each scope in it a ``title``
    and ``padding`` around it.  ``loop`` is how far an edge from a state to itself reaches.
    """

    size_of: Callable[[GraphNode], Size]
    label_size: Callable[[Edge], Size]
    lane: Size
    gap: int
    track: int
    above: int
    below: int
    plain: int
    tolerance: int
    clearance: int
    port: int
    header: int
    footer: int
    title: int
    padding: Size
    loop: int


class Rectangle(NamedTuple):
    x: int
    y: int
    width: int
    height: int

    def moved(self, x: int, y: int) -> Rectangle:
        return self._replace(x=self.x + x, y=self.y + y)


class PlacedNode(NamedTuple):
    node: GraphNode
    box: Rectangle


class PlacedEdge(NamedTuple):
    """``points`` are the corners of the line, from the edge's source to its target.

    ``step`` is 1 where it leads down, -1 where it leads up, 0 where it comes back to where it begins.
    """

    edge: Edge
    points: list[tuple[int, int]]
    label: Rectangle | None
    step: int


class PlacedScope(NamedTuple):
    scope: GraphScope
    box: Rectangle


class GraphLayout(NamedTuple):
    """Whatever holds others comes before them."""

    width: int
    height: int
    scopes: list[PlacedScope]
    nodes: list[PlacedNode]
    edges: list[PlacedEdge]


class _Placed(NamedTuple):
    """A scope of which all is placed but its lines: ``tops`` are where the layers begin."""

    graph: Layered
    ports: Ports
    tracks: list[Tracks]
    tops: list[int]
    boxes: list[Rectangle]


class _Local(NamedTuple):
    """A scope by itself, with its corner at 0, 0."""

    size: Size
    nodes: list[PlacedNode]
    edges: list[PlacedEdge]
    inner: list[PlacedScope]


def lay_out(graph: GraphScope, metrics: Metrics) -> GraphLayout:
    """The layout of a scope and of all that is in it; the same each time."""
    done: dict[str, _Local] = {}
    for scope in reversed([*scopes_within(graph)]):
        done[scope.location] = _scope(scope, metrics, done)
    whole = done[graph.location]
    result = GraphLayout(whole.size.width, whole.size.height, [], [], [])
    waiting = [PlacedScope(graph, Rectangle(0, 0, *whole.size))]
    while waiting:
        scope, box = waiting.pop()
        local = done[scope.location]
        result.scopes.append(PlacedScope(scope, box))
        result.nodes.extend(PlacedNode(node, at.moved(box.x, box.y)) for node, at in local.nodes)
        result.edges.extend(_moved(edge, box.x, box.y) for edge in local.edges)
        waiting += reversed([PlacedScope(one, at.moved(box.x, box.y)) for one, at in local.inner])
    return result


def _moved(edge: PlacedEdge, x: int, y: int) -> PlacedEdge:
    points = [(one + x, other + y) for one, other in edge.points]
    return edge._replace(points=points, label=edge.label and edge.label.moved(x, y))


def _scope(scope: GraphScope, metrics: Metrics, done: Mapping[str, _Local]) -> _Local:
    room = {edge.source: _loop_room(edge, metrics) for edge in scope.edges if edge.source == edge.target}

    def size_of(node: GraphNode) -> Size:
        size = _box_size(node, metrics, done)
        return Size(size.width + 2 * room.get(node.location, 0), size.height)

    graph = layered(scope, size_of, metrics.label_size, metrics.lane)
    order(graph)
    middle = place(graph, metrics.gap)
    margins = [room.get(node.location, 0) for node in scope.nodes] + [0] * (len(graph.sizes) - len(scope.nodes))
    widths = [size.width - 2 * margin for size, margin in zip(graph.sizes, margins, strict=True)]
    ports = find_ports(graph, middle, widths, metrics.port, metrics.tolerance)
    tracks = find_tracks(graph, ports, metrics.clearance)
    tops = _tops(graph, tracks, metrics)
    boxes = [
        Rectangle(
            middle[vertex] - size.width // 2 + margins[vertex], tops[graph.layer[vertex]], width, size.height
        )
        for vertex, (size, width) in enumerate(zip(graph.sizes, widths, strict=True))
    ]
    nodes = [PlacedNode(node, boxes[index]) for index, node in enumerate(scope.nodes)]
    placed = _Placed(graph, ports, tracks, tops, boxes)
    edges = [
        PlacedEdge(
            chain.edge,
            _points(placed, index, metrics),
            None if chain.label is None else boxes[chain.label],
            -1 if chain.is_back else 1,
        )
        for index, chain in enumerate(graph.chains)
    ]
    number = {node.location: index for index, node in enumerate(scope.nodes)}
    edges += [_loop(edge, boxes[number[edge.source]], metrics) for edge in graph.loops]
    return _fitted(nodes, edges, metrics, done)


def _fitted(
    nodes: list[PlacedNode], edges: list[PlacedEdge], metrics: Metrics, done: Mapping[str, _Local]
) -> _Local:
    """Moved so that nothing is left of 0 or above it: a line may run beside all nodes."""
    xs = [x for edge in edges for x, _ in edge.points]
    left = min([*xs, *(node.box.x for node in nodes), *(edge.label.x for edge in edges if edge.label)], default=0)
    nodes = [PlacedNode(node, box.moved(-left, 0)) for node, box in nodes]
    edges = [_moved(edge, -left, 0) for edge in edges]
    labels = [edge.label for edge in edges if edge.label is not None]
    boxes = [*(node.box for node in nodes), *labels]
    right = max([*(x - left + 1 for x in xs), *(box.x + box.width for box in boxes)], default=0)
    bottom = max((box.y + box.height for box in boxes), default=0)
    inner = [one for node, box in nodes for one in _inner(node, box, metrics, done)]
    return _Local(Size(right, bottom), nodes, edges, inner)


def _box_size(node: GraphNode, metrics: Metrics, done: Mapping[str, _Local]) -> Size:
    own = metrics.size_of(node)
    if not node.scopes:
        return own
    sizes = [done[scope.location].size for scope in node.scopes]
    width = sum(size.width + 2 * metrics.padding.width for size in sizes) + metrics.gap // 2 * (len(sizes) - 1)
    height = max(size.height for size in sizes) + 2 * metrics.padding.height + metrics.title
    width = max(own.width, width + 2 * metrics.padding.width)
    return Size(width + 1 - width % 2, metrics.header + height + metrics.footer)


def _inner(node: GraphNode, box: Rectangle, metrics: Metrics, done: Mapping[str, _Local]) -> list[PlacedScope]:
    """The contents of the scopes in a node's box: side by side, in the middle."""
    sizes = [done[scope.location].size for scope in node.scopes]
    outer = [size.width + 2 * metrics.padding.width for size in sizes]
    at = box.x + (box.width - sum(outer) - metrics.gap // 2 * (len(sizes) - 1)) // 2
    found = []
    for scope, size, width in zip(node.scopes, sizes, outer, strict=True):
        top = box.y + metrics.header + metrics.title + metrics.padding.height
        found.append(PlacedScope(scope, Rectangle(at + metrics.padding.width, top, *size)))
        at += width + metrics.gap // 2
    return found


def _tops(graph: Layered, tracks: list[Tracks], metrics: Metrics) -> list[int]:
    """Where each layer begins."""
    tops, at = [], 0
    for layer, found in zip(graph.layers, tracks, strict=True):
        tops.append(at)
        height = max((graph.sizes[vertex].height for vertex in layer), default=0)
        lines = metrics.above + (found.rows - 1) * metrics.track + metrics.below
        at += height + (lines if found.rows else metrics.plain)
    return tops


def _points(placed: _Placed, index: int, metrics: Metrics) -> list[tuple[int, int]]:
    """The corners of a chain's line."""
    graph, ports, tracks, tops, boxes = placed
    chain = graph.chains[index]
    first, last = chain.vertices[0], chain.vertices[-1]
    points = [(ports.upper[index, 0], boxes[first].y + boxes[first].height)]
    for step, vertex in enumerate(chain.vertices[:-1]):
        begin, end = ports.upper[index, step], ports.lower[index, step]
        if begin != end:
            layer = graph.layer[vertex]
            found = tracks[layer]
            lowest = metrics.below + (found.rows - 1) * metrics.track
            y = tops[layer + 1] - lowest + found.level[vertex, begin] * metrics.track
            points += [(begin, y), (end, y)]
    points.append((ports.lower[index, len(chain.vertices) - 2], boxes[last].y))
    return points[::-1] if chain.is_back else points


def _loop_room(edge: Edge, metrics: Metrics) -> int:
    return metrics.label_size(edge).width + metrics.loop + metrics.gap // 2


def _loop(edge: Edge, box: Rectangle, metrics: Metrics) -> PlacedEdge:
    """An edge from a state to itself: out on its right, and back in below."""
    right = box.x + box.width
    out, back = box.y + box.height // 3, box.y + box.height - max(1, box.height // 3)
    size = metrics.label_size(edge)
    label = None
    if size != NO_SIZE:
        label = Rectangle(right + metrics.loop + 1, box.y + (box.height - size.height) // 2, *size)
    end = right + metrics.loop
    return PlacedEdge(edge, [(right, out), (end, out), (end, back), (right, back)], label, 0)
